// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/prometheus/answer.hpp"
#include "wva_metrics/prometheus/api_error.hpp"
#include "wva_metrics/prometheus/detail/answer_parser.hpp"

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace wva_metrics::prometheus {

/// Decodes the answer to a query of the Prometheus HTTP API, in one piece or in several as they
/// arrive. Does not store the answer.
///
/// Calls the sink once for each series, in the order of the answer, with all of its labels and
/// samples; a scalar is one series without labels. NaN and infinities are passed on. An answer that
/// holds a series twice, or a series whose times do not ascend, is rejected; a sample that follows
/// itself counts once, and of other samples of one time the highest if `Conflict` says so.
///
/// **The series are valid only if `finish` succeeds**: an answer can turn out to be malformed, cut
/// off or an error after thousands of series. Collect them, and discard the collection on an error.
///
/// Members may come in any order. Unknown members are skipped, so extensions of Thanos, Mimir and
/// VictoriaMetrics are harmless; anything else that the API does not specify is rejected. Uses the
/// memory of one series, and a few dozen bytes for each.
///
/// **Errors** of `finish`:
/// - `bad_response`: not JSON, cut off, or not what the API specifies,
/// - `too_large`: one of the limits was exceeded; the message names it,
/// - `internal`: the sink threw,
/// - the code of `classify`, if the answer is itself an error.
///
/// Only the constructor throws, if memory runs out.
///
/// **Threads:** not thread-safe.
template <SeriesSink Sink>
class AnswerDecoder {
public:
    /// The limits are copied.
    AnswerDecoder(const AnswerLimits& limits, Sink sink, Conflict conflict = Conflict::reject)
        : sink_(std::move(sink)), parser_(limits, &call_sink, std::addressof(sink_)) {
        parser_.set_conflict(conflict);
    }

    AnswerDecoder(const AnswerDecoder&) = delete;
    AnswerDecoder& operator=(const AnswerDecoder&) = delete;

    /// Decodes the next bytes, which need not outlive the call. Returns false if the answer is
    /// already rejected; the rest need not be read then.
    bool write(std::string_view chunk) { return parser_.write(chunk); }

    /// Decodes the last bytes, if there are more. Must be called once. `http_status`: that of the
    /// answer, for the message if the answer is itself an error.
    Result<AnswerInfo> finish(std::string_view rest = {}, int http_status = 200) {
        return parser_.finish(rest, http_status);
    }

    /// After `finish`: the error that the API reported, if the answer is itself an error.
    const std::optional<ApiError>& api_error() const noexcept { return parser_.api_error(); }

private:
    static void call_sink(void* sink, const SeriesView& series) {
        (*static_cast<Sink*>(sink))(series);
    }

    Sink sink_;
    detail::AnswerParser<detail::AnswerSax> parser_;
};

/// Decodes a complete answer in one piece. See `AnswerDecoder`.
///
/// Labels written without escapes point into `body`, so an ordinary series is decoded without an
/// allocation.
template <SeriesSink Sink>
Result<AnswerInfo> decode_answer(std::string_view body, const AnswerLimits& limits, Sink&& sink,
                                 int http_status = 200, Conflict conflict = Conflict::reject) {
    const auto forward = [&sink](const SeriesView& series) { sink(series); };
    AnswerDecoder<std::decay_t<decltype(forward)>> decoder(limits, forward, conflict);
    return decoder.finish(body, http_status);
}

} // namespace wva_metrics::prometheus
