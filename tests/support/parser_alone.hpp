// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/prometheus/answer.hpp"
#include "wva_metrics/prometheus/detail/answer_parser.hpp"
#include "wva_metrics/prometheus/detail/answer_sax.hpp"
#include "wva_metrics/prometheus/detail/series_scanner.hpp"

#include <cstddef>
#include <memory>
#include <string_view>

namespace wva_metrics::test_support {

/// A scanner that refuses every series.
class RefusingScanner : public prometheus::detail::SeriesScanner {
public:
    using SeriesScanner::SeriesScanner;

    std::size_t read(std::string_view, std::size_t) { return 0; }
};

/// An `AnswerDecoder` with another scanner. The sink must outlive it.
template <typename Scanner, prometheus::SeriesSink Sink>
class DecoderWith
    : public prometheus::detail::AnswerParser<prometheus::detail::AnswerSax, Scanner> {
public:
    DecoderWith(const prometheus::AnswerLimits& limits, Sink& sink)
        : DecoderWith::AnswerParser(limits, &call_sink, std::addressof(sink)) {}

private:
    static void call_sink(void* sink, const prometheus::SeriesView& series) {
        (*static_cast<Sink*>(sink))(series);
    }
};

/// One whose series are all read by Boost.JSON's parser.
template <prometheus::SeriesSink Sink>
using ParserAlone = DecoderWith<RefusingScanner, Sink>;

} // namespace wva_metrics::test_support
