// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/prometheus/answer.hpp"
#include "wva_metrics/prometheus/api_error.hpp"
#include "wva_metrics/prometheus/detail/answer_parser.hpp"

#include <concepts>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace wva_metrics::prometheus {

/// Decodes the answer to a query of the Prometheus HTTP API while it arrives, without keeping it.
///
/// The sink is called once for each series, in the order of the answer, with a `const SeriesView&`:
/// for a vector its sample, for a matrix the newest point of each series, for a scalar one series
/// without labels. Duplicate series are given as they come, NaN and infinities too.
///
/// **What the sink was given is good only if `finish` succeeds**: an answer can turn out broken,
/// cut off or an error after thousands of series. Collect, and drop the collection on an error.
///
/// Strict about what the API promises, in any order of members; unknown members are passed over, so
/// that the extras of Thanos, Mimir and VictoriaMetrics do no harm. Memory is one series, whatever
/// the answer's size.
///
/// Errors of `finish`: `bad_response` (not JSON, cut off, not what the API promises), `too_large`
/// (one of the limits; the message names it), `internal` (the sink threw), and for an answer that
/// is itself an error the code that `classify` gives it. Nothing throws but the constructor, for
/// lack of memory.
///
/// Not thread-safe: one decoder, one answer, one thread at a time.
template <typename Sink>
    requires std::invocable<Sink&, const SeriesView&>
class AnswerDecoder {
public:
    /// The wanted labels' names must be unique, and must outlive the decoder.
    AnswerDecoder(std::span<const std::string> wanted_labels, const AnswerLimits& limits, Sink sink)
        : sink_(std::move(sink)), parser_(wanted_labels, limits, &emit, std::addressof(sink_)) {}

    AnswerDecoder(const AnswerDecoder&) = delete;
    AnswerDecoder& operator=(const AnswerDecoder&) = delete;

    /// Takes the next bytes, which may go away after the call. False where the answer is already
    /// known to be no good; the rest need not be read then.
    bool write(std::string_view chunk) { return parser_.write(chunk); }

    /// Takes the last bytes, if there are more. To be called once.
    Result<AnswerInfo> finish(std::string_view rest = {}) { return parser_.finish(rest); }

    /// After `finish`: what the API said where the answer is itself an error.
    const std::optional<ApiError>& api_error() const noexcept { return parser_.api_error(); }

private:
    static void emit(void* sink, const SeriesView& series) { (*static_cast<Sink*>(sink))(series); }

    Sink sink_;
    detail::AnswerParser parser_;
};

/// Decodes an answer that is there as a whole. See `AnswerDecoder`.
///
/// Labels are pointed to in `body` wherever they are written there without escapes, so that for up
/// to 8 wanted labels an ordinary answer is decoded without an allocation.
template <typename Sink>
    requires std::invocable<Sink&, const SeriesView&> Result<AnswerInfo>
    decode_answer(std::string_view body, std::span<const std::string> wanted_labels,
                  const AnswerLimits& limits, Sink&& sink) {
        const auto forward = [&sink](const SeriesView& series) { sink(series); };
        AnswerDecoder<std::decay_t<decltype(forward)>> decoder(wanted_labels, limits, forward);
        return decoder.finish(body);
    }

} // namespace wva_metrics::prometheus
