// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/metric_family_bytes.hpp"
#include "wva_metrics/exposition/native_histogram.hpp"
#include "wva_metrics/exposition/page_format.hpp"
#include "wva_metrics/exposition/page_parser.hpp"
#include "wva_metrics/exposition/protobuf_parser.hpp"

#include <charconv>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Pages in protobuf and what is read from them.
namespace wva_metrics::exposition::protobuf_pages {

struct ProtobufPage {
    std::vector<std::string> samples{};  ///< Name, labels, value, times.
    std::vector<std::string> families{}; ///< Name and type.
    std::vector<NativeHistogram> histograms{};
    std::string problem{}; ///< The error's description; empty if there was none.

    friend bool operator==(const ProtobufPage&, const ProtobufPage&) = default;
};

struct ProtobufSink {
    ProtobufPage page{};

    void operator()(const PageSample& sample) {
        std::string line = std::string(sample.name) + "{";
        for (const LabelView& label : sample.labels)
            line += (line.back() == '{' ? "" : ",") + std::string(label.name) + "=" +
                    std::string(label.value);
        char digits[40];
        const auto written = std::to_chars(digits, digits + sizeof digits, sample.value);
        line += "} " + std::string(digits, written.ptr);
        if (sample.timestamp_ms)
            line += " @" + std::to_string(*sample.timestamp_ms);
        if (sample.start_ms)
            line += " st@" + std::to_string(*sample.start_ms);
        if (sample.histogram != nullptr) {
            line += " native";
            page.histograms.push_back(*sample.histogram);
        }
        page.samples.push_back(std::move(line));
    }
    void family(std::string_view name, FamilyType type) {
        page.families.push_back(std::string(name) + " " + std::string(to_string(type)));
    }
};

/// Reads a page in pieces, each in memory of its own.
template <typename Parser>
ProtobufPage read_with(Parser parser, const std::vector<std::string>& pieces) {
    ProtobufSink sink;
    Result<void> result;
    for (const std::string& piece : pieces)
        if (result)
            result = parser.feed(std::string(piece), sink);
    if (result)
        result = parser.finish(sink);
    if (!result)
        sink.page.problem = result.error().describe();
    return std::move(sink.page);
}
inline ProtobufPage read_protobuf_pieces(const std::vector<std::string>& pieces,
                                         const WantedMetrics& wanted = {},
                                         const PageLimits& limits = {}) {
    return read_with(ProtobufParser(wanted, limits), pieces);
}
inline ProtobufPage read_protobuf(const std::string& page, const WantedMetrics& wanted = {},
                                  const PageLimits& limits = {}) {
    return read_protobuf_pieces({page}, wanted, limits);
}
inline ProtobufPage read_as_text(const std::string& page, PageFormat format) {
    return read_with(PageParser(format), {page});
}

/// A page with a family of each type that all formats have.
inline std::string ordinary_page() {
    using namespace test_support::family_bytes;
    const std::string exemplar =
        text(2, labels({{"trace", "abc"}}) + real(2, 1) + text(3, timestamp(1, 0)));
    const std::string histogram = number(1, 5) + real(2, 7.5) + text(3, bucket(0.5, 2)) +
                                  text(3, bucket(1, 3) + text(3, labels({{"a", "b"}})));
    const std::string summary = number(1, 3) + real(2, 1.25) + text(3, real(1, 0.5) + real(2, 4)) +
                                text(3, real(1, 0.99) + real(2, 6));
    return family("c_total", counter_type,
                  {labels({{"model", "a \"b\"\n\\"}, {"z", "\xc3\xa9"}}) +
                       text(3, real(1, 1e9) + exemplar),
                   labels({{"model", "c"}}) + text(3, real(1, 0.1))}) +
           family("g", gauge_type, {text(2, real(1, -1.5))}) +
           family("h", histogram_type, {text(7, histogram)}) +
           family("s", summary_type, {text(4, summary)}) +
           family("u", untyped_type,
                  {text(5, real(1, std::numeric_limits<double>::infinity())),
                   labels({{"n", "1"}}) + text(5, real(1, 3)),
                   labels({{"n", "2"}}) + number(6, 1700000000123) + text(5, real(1, 4)),
                   labels({{"n", ""}}) + text(5, real(1, 0))});
}
inline std::string ordinary_samples(std::string_view exemplar, std::string_view time) {
    return "# TYPE h histogram\nh_bucket{le=\"0.5\"} 2\nh_bucket{le=\"1\"} 3" +
           std::string(exemplar) +
           "\nh_bucket{le=\"+Inf\"} 5\nh_sum 7.5\nh_count 5\n# TYPE s summary\n"
           "s{quantile=\"0.5\"} 4\ns{quantile=\"0.99\"} 6\ns_sum 1.25\ns_count 3\n"
           "# TYPE u unknown\nu +Inf\nu{n=\"1\"} 3\nu{n=\"2\"} 4 " +
           std::string(time) + "\nu{n=\"\"} 0\n";
}
inline std::string ordinary_counters() {
    return "c_total{model=\"a \\\"b\\\"\\n\\\\\",z=\"\xc3\xa9\"} 1e9\nc_total{model=\"c\"} 0.1\n"
           "# TYPE g gauge\ng -1.5\n";
}
/// The same page as Prometheus' text.
inline std::string ordinary_text() {
    return "# TYPE c_total counter\n" + ordinary_counters() + ordinary_samples("", "1700000000123");
}
/// The same page as OpenMetrics.
inline std::string ordinary_open_metrics() {
    return "# TYPE c counter\n" + ordinary_counters() +
           ordinary_samples(" # {a=\"b\"} 0.7", "1700000000.123") + "# EOF\n";
}

/// Two native histograms, with whole and with fractional counts.
inline std::string native_page() {
    using namespace test_support::family_bytes;
    const std::string whole = number(1, 11) + real(2, 20) + signed_number(5, 3) + real(6, 0.25) +
                              number(7, 1) + text(9, span(0, 1)) + text(10, packed_deltas({4})) +
                              text(12, span(-2, 2)) + text(12, span(1, 1)) +
                              text(13, packed_deltas({2, 1, -2})) +
                              text(16, labels({{"trace", "x"}}));
    const std::string fraction = real(4, 2.5) + real(2, 1) + real(8, 0.5) + text(12, span(0, 2)) +
                                 text(14, packed_counts({1.5, 0.5}));
    return family("n", histogram_type, {labels({{"a", "b"}}) + text(7, whole)}) +
           family("f", histogram_type, {text(7, fraction)});
}

} // namespace wva_metrics::exposition::protobuf_pages
