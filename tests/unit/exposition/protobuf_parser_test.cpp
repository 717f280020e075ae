// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/exposition/protobuf_parser.hpp"

#include "support/metric_family_bytes.hpp"
#include "unit/exposition/protobuf_pages.hpp"
#include "wva_metrics/exposition/page_parser.hpp"

#include <catch2/catch_all.hpp>

#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <vector>

namespace wva_metrics::exposition::protobuf_pages {

using namespace test_support::family_bytes;

TEST_CASE("a protobuf page has the samples of the same page as text and as OpenMetrics") {
    const ProtobufPage binary = read_protobuf(ordinary_page());
    CHECK(binary.problem == "");
    CHECK(binary.samples == read_as_text(ordinary_text(), PageFormat::prometheus_0_0_4).samples);
    CHECK(binary.samples == read_as_text(ordinary_text(), PageFormat::prometheus_1_0_0).samples);
    CHECK(binary.samples ==
          read_as_text(ordinary_open_metrics(), PageFormat::open_metrics_1_0).samples);
    CHECK(binary.samples.size() == 16);
}

TEST_CASE("a protobuf page split at every byte has the same samples") {
    const std::string page = ordinary_page() + native_page();
    const ProtobufPage whole = read_protobuf(page);
    CHECK(whole.problem == "");
    for (std::size_t cut = 0; cut <= page.size(); ++cut) {
        const ProtobufPage split = read_protobuf_pieces({page.substr(0, cut), page.substr(cut)});
        if (split != whole) {
            CAPTURE(cut);
            FAIL_CHECK("a split changes the page");
        }
    }
    std::vector<std::string> bytes;
    for (const char byte : page)
        bytes.emplace_back(1, byte);
    CHECK(read_protobuf_pieces(bytes) == whole);
    CHECK(read_protobuf_pieces(bytes, WantedMetrics({"h_sum"})) ==
          read_protobuf(page, WantedMetrics({"h_sum"})));
}

TEST_CASE("a protobuf page that is cut off fails") {
    const std::string page = ordinary_page();
    std::size_t whole_families = 0;
    for (std::size_t size = 0; size < page.size(); ++size)
        whole_families += read_protobuf(page.substr(0, size)).problem.empty() ? 1U : 0U;
    // Nothing marks the end of a page: only a cut between two families is not seen.
    CHECK(whole_families == 5);
    CHECK_THAT(read_protobuf(page.substr(0, page.size() - 1)).problem,
               Catch::Matchers::ContainsSubstring("family 5 (u): the page was cut off"));
}

TEST_CASE("only the wanted samples of a protobuf page are passed on, and all families are told") {
    const ProtobufPage page =
        read_protobuf(ordinary_page(), WantedMetrics({"h_sum", "g", "s_count"}));
    CHECK(page.samples == std::vector<std::string>{"g{} -1.5", "h_sum{} 7.5", "s_count{} 3"});
    CHECK(page.families == std::vector<std::string>{"c_total counter", "g gauge", "h histogram",
                                                    "s summary", "u unknown"});
}

TEST_CASE("a protobuf family that is not wanted is not decoded") {
    const std::string broken = delimited(family_message("unwanted", gauge_type, {"\xff\xff"}));
    CHECK(read_protobuf(broken).problem != "");
    for (const ProtobufPage& page :
         {read_protobuf(broken + ordinary_page(), WantedMetrics({"g"})),
          read_protobuf_pieces({broken.substr(0, broken.size() - 1),
                                broken.substr(broken.size() - 1), ordinary_page()},
                               WantedMetrics({"g"}))}) {
        CHECK(page.problem == "");
        CHECK(page.samples == std::vector<std::string>{"g{} -1.5"});
    }
}

TEST_CASE("a native histogram of a protobuf page is one sample beside its sum and count") {
    ProtobufPage page = read_protobuf(native_page());
    CHECK(page.problem == "");
    CHECK(page.samples == std::vector<std::string>{"n{a=b} 11 native", "n_bucket{a=b,le=+Inf} 11",
                                                   "n_sum{a=b} 20", "n_count{a=b} 11",
                                                   "f{} 2.5 native", "f_bucket{le=+Inf} 2.5",
                                                   "f_sum{} 1", "f_count{} 2.5"});
    REQUIRE(page.histograms.size() == 2);
    const NativeHistogram& whole = page.histograms[0];
    CHECK(whole.schema == 3);
    CHECK(whole.zero_threshold == 0.25);
    CHECK(whole.zero_count == 1);
    CHECK(whole.count == 11);
    CHECK(whole.sum == 20);
    CHECK(whole.positive == NativeBuckets{{{-2, 2}, {1, 1}}, {2, 3, 1}});
    CHECK(whole.negative == NativeBuckets{{{0, 1}}, {4}});
    const NativeHistogram& fraction = page.histograms[1];
    CHECK(fraction.count == 2.5);
    CHECK(fraction.zero_count == 0.5);
    CHECK(fraction.positive == NativeBuckets{{{0, 2}}, {1.5, 0.5}});
    CHECK(read_protobuf(native_page(), WantedMetrics({"n"})).samples ==
          std::vector<std::string>{"n{a=b} 11 native"});
}

TEST_CASE("numbers of a native histogram may be fields of their own") {
    std::string histogram = number(1, 5) + text(12, span(0, 2)) + signed_number(13, 2) +
                            signed_number(13, 1) + signed_number(5, 0);
    const ProtobufPage page =
        read_protobuf(family("n", histogram_type, {text(7, histogram)}), WantedMetrics({"n"}));
    CHECK(page.problem == "");
    REQUIRE(page.histograms.size() == 1);
    CHECK(page.histograms[0].positive.counts == std::vector<double>{2, 3});
}

TEST_CASE("an empty native histogram is one by its span of no bucket") {
    const std::string with_span = number(1, 0) + text(12, span(0, 0));
    CHECK(read_protobuf(family("n", histogram_type, {text(7, with_span)})).histograms.size() == 1);
    CHECK(read_protobuf(family("n", histogram_type, {text(7, number(1, 0))})).histograms.empty());
}

TEST_CASE("a protobuf page gives times in milliseconds, and when a counter began") {
    const std::string counted = real(1, 4) + text(3, timestamp(1700000000, 250'000'000));
    const std::string page =
        family("c_total", counter_type,
               {number(6, 1700000123456) + text(3, counted), text(3, real(1, 5))});
    CHECK(read_protobuf(page).samples ==
          std::vector<std::string>{"c_total{} 4 @1700000123456 st@1700000000250", "c_total{} 5"});
}

TEST_CASE("what a protobuf metric lacks is not read as 0, and what is 0 need not be written") {
    // Proto 3 leaves out numbers that are 0, but not the message around them.
    CHECK(read_protobuf(family("g", gauge_type, {text(2, "")})).samples ==
          std::vector<std::string>{"g{} 0"});
    CHECK(read_protobuf(family("g", gauge_type, {""})).samples.empty());
    CHECK(read_protobuf(family("g", gauge_type, {text(3, real(1, 7))})).samples.empty());
    // A counter's type is 0.
    CHECK(read_protobuf(delimited(text(1, "c") + text(4, text(3, real(1, 7))))).samples ==
          std::vector<std::string>{"c{} 7"});
}

TEST_CASE("the fields of a protobuf family may be in any order") {
    const std::string page =
        delimited(text(4, text(2, real(1, 7))) + number(3, gauge_type) + text(1, "g"));
    CHECK(read_protobuf(page).samples == std::vector<std::string>{"g{} 7"});
    CHECK(read_protobuf(page).families == std::vector<std::string>{"g gauge"});
}

TEST_CASE("unknown fields of a protobuf page are skipped, whatever their wire type") {
    const std::string unknown = number(99, 5) + real(98, 1) + text(97, "x\xff") +
                                varint((96U << 3U) | 5U) + std::string(4, 'x');
    const std::string page =
        delimited(unknown +
                  family_message("g", gauge_type,
                                 {unknown + text(2, unknown + real(1, 7) + unknown) +
                                  text(1, unknown + text(1, "a") + text(2, "b"))}) +
                  unknown);
    CHECK(read_protobuf(page).problem == "");
    CHECK(read_protobuf(page).samples == std::vector<std::string>{"g{a=b} 7"});
}

TEST_CASE("bounds and quantiles of a protobuf page are written as servers in Go write them") {
    const std::vector<std::pair<double, std::string>> cases{
        {0.005, "0.005"},
        {1, "1"},
        {10, "10"},
        {999999, "999999"},
        {1e6, "1e+06"},
        {1e-4, "0.0001"},
        {1e-5, "1e-05"},
        {2.5, "2.5"},
        {1234567, "1.234567e+06"},
        {0, "0"},
        {-2.5, "-2.5"},
        {1e100, "1e+100"},
        {std::numeric_limits<double>::infinity(), "+Inf"},
        {-std::numeric_limits<double>::infinity(), "-Inf"}};
    for (const auto& [bound, text_of_bound] : cases)
        CHECK(detail::GoNumber(bound).text() == text_of_bound);
    CHECK(detail::GoNumber(std::nan("")).text() == "NaN");
}

TEST_CASE("a gauge histogram of a protobuf page has the endings of OpenMetrics") {
    const std::string histogram = number(1, 3) + real(2, 4) + text(3, bucket(1, 2));
    CHECK(read_protobuf(family("x", gauge_histogram_type, {text(7, histogram)})).samples ==
          std::vector<std::string>{"x_bucket{le=1} 2", "x_bucket{le=+Inf} 3", "x_gsum{} 4",
                                   "x_gcount{} 3"});
}

TEST_CASE("a parser reads the next protobuf page after a restart") {
    ProtobufParser parser;
    ProtobufSink sink;
    CHECK(parser.feed("\x05", sink).has_value());
    CHECK(parser.finish(sink).has_error());
    parser.restart();
    CHECK(parser.feed(ordinary_page(), sink).has_value());
    CHECK(parser.finish(sink).has_value());
    CHECK(parser.samples() == 16);
    CHECK(parser.families() == 5);
}

TEST_CASE("the parser of a page is chosen by the content type") {
    PageParser binary("application/vnd.google.protobuf; encoding=delimited; "
                      "proto=io.prometheus.client.MetricFamily");
    ProtobufSink first;
    CHECK(binary.feed(ordinary_page(), first).has_value());
    CHECK(binary.finish(first).has_value());
    CHECK(binary.format() == PageFormat::protobuf);
    CHECK(binary.samples() == 16);

    PageParser text_page("");
    ProtobufSink second;
    CHECK(text_page.feed(ordinary_text(), second).has_value());
    CHECK(text_page.finish(second).has_value());
    CHECK(text_page.format() == PageFormat::prometheus_0_0_4);
    CHECK(second.page.samples == first.page.samples);
    text_page.restart();
    CHECK(text_page.samples() == 0);
}

} // namespace wva_metrics::exposition::protobuf_pages
