// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/http/message.hpp"
#include "wva_metrics/prometheus/answer.hpp"
#include "wva_metrics/prometheus/answer_decoder.hpp"
#include "wva_metrics/prometheus/detail/bounded_text.hpp"
#include "wva_metrics/prometheus/detail/owned_sink.hpp"
#include "wva_metrics/prometheus/status_mapping.hpp"

#include <string>
#include <string_view>
#include <utility>

namespace wva_metrics::prometheus::detail {

/// Decodes the body of an answer while it arrives. Keeps only its beginning, for an error message.
class AnswerReceiver {
public:
    AnswerReceiver(const AnswerLimits& limits, OwnedSink sink, Conflict conflict = Conflict::reject)
        : decoder_(limits, WatchedSink{std::move(sink), has_series_}, conflict) {}
    AnswerReceiver(const AnswerReceiver&) = delete;
    AnswerReceiver& operator=(const AnswerReceiver&) = delete;

    /// Returns false if the rest need not be read: the answer is rejected, and there is enough of it
    /// for the error message.
    bool write(std::string_view piece) {
        beginning_.append(piece);
        return decoder_.write(piece) || !beginning_.is_full();
    }

    /// As `decode_response`; the body of a 2xx response is what was written. Call once.
    Result<AnswerInfo> finish(http::Response response, const std::string& endpoint) {
        if (response.status / 100 != 2)
            return to_error(response, endpoint);
        Result<AnswerInfo> answer = decoder_.finish({}, response.status);
        if (answer.has_value())
            return answer;
        response.body = beginning_.view();
        return explain_rejection(std::move(answer).error(), response, endpoint);
    }

    /// Whether the sink has received a series: then no other answer may be passed to it.
    bool has_series() const noexcept { return has_series_; }

private:
    struct WatchedSink {
        OwnedSink sink;
        bool& was_called;

        void operator()(const SeriesView& series) const {
            was_called = true;
            sink(series);
        }
    };

    BoundedText beginning_{max_described_body_bytes};
    bool has_series_ = false;
    AnswerDecoder<WatchedSink> decoder_;
};

} // namespace wva_metrics::prometheus::detail
