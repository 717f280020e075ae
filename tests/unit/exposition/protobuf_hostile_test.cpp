// SPDX-License-Identifier: Apache-2.0
#include "support/metric_family_bytes.hpp"
#include "support/property_cases.hpp"
#include "unit/exposition/protobuf_pages.hpp"
#include "wva_metrics/exposition/protobuf_parser.hpp"

#include <catch2/catch_all.hpp>

#include <cstddef>
#include <limits>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics::exposition::protobuf_pages {

using namespace test_support::family_bytes;
using Catch::Matchers::ContainsSubstring;

namespace {

std::string gauge_page(const std::string& metric) {
    return family("g", gauge_type, {metric});
}
std::string histogram_page(const std::string& histogram) {
    return family("n", histogram_type, {text(7, histogram)});
}

} // namespace

TEST_CASE("each fault of a protobuf page is an error that says what is wrong") {
    const std::string overlong(11, '\x80');
    const std::string too_large = std::string(9, '\xff') + "\x02";
    const std::vector<std::pair<std::string, std::string>> cases{
        {overlong, "the size of a family is malformed"},
        {std::string(1, '\0'), "a family has no name"},
        {delimited(number(3, 1)), "a family has no name"},
        {delimited(text(1, "\xff")), "not UTF-8"},
        {delimited(text(1, "")), "a family has no name"},
        {delimited("\x0a\x7f"
                   "abc"),
         "longer than its message"},
        {delimited("\x0a" + overlong), "more than 64 bits"},
        {delimited("\x08" + too_large), "more than 64 bits"},
        {delimited("\x0d"
                   "abc"),
         "ends within a number"},
        {delimited("\x09"
                   "abcdefg"),
         "ends within a number"},
        {delimited("\x80"), "ends within a number"},
        {delimited("\x02"
                   "ab"),
         "number that no field can have"},
        {delimited("\x0b\x0c"), "unknown wire type"},
        {delimited("\x0f"), "unknown wire type"},
        {delimited(number(1, 5)), "another wire type"},
        {delimited(text(1, "g") + real(3, 1)), "another wire type"},
        {delimited(text(1, "g") + number(4, 1)), "another wire type"},
        {gauge_page(number(1, 1)), "another wire type"},
        {gauge_page(text(2, number(1, 1))), "another wire type"},
        {gauge_page(text(1, real(1, 1))), "another wire type"},
        {gauge_page(text(6, "x")), "another wire type"},
        {gauge_page(labels({{"", "x"}})), "a label has no name"},
        {gauge_page(labels({{"__name__", "x"}})), "the name __name__"},
        {gauge_page(labels({{"a", "x"}, {"a", "y"}})), "a label comes twice"},
        {gauge_page(labels({{"a", "\xc0\x80"}})), "a label is not UTF-8"},
        {gauge_page(labels({{"\xed\xa0\x80", "x"}})), "a label is not UTF-8"},
        {family("c", counter_type, {text(3, text(3, number(1, ~0ULL << 10U)))}),
         ""}, // a time shortly before 1970 is valid
        {family("c", counter_type, {text(3, text(3, number(1, 1ULL << 62U)))}),
         "a time is not valid"},
        {family("c", counter_type, {text(3, text(3, number(2, 1'000'000'000)))}),
         "a time is not valid"},
        {family("n", histogram_type, {labels({{"le", "1"}}) + text(7, number(1, 1))}),
         "is le or quantile"},
        {family("s", summary_type, {labels({{"quantile", "1"}}) + text(4, number(1, 1))}),
         "is le or quantile"},
        {histogram_page(text(12, span(0, 2)) + text(13, packed_deltas({1}))), "as many buckets"},
        {histogram_page(text(12, span(0, 1)) + text(13, packed_deltas({-1}))), "negative"},
        {histogram_page(text(12, span(0, 2)) +
                        text(13, packed_deltas({std::numeric_limits<std::int64_t>::max(), 1}))),
         "too large"},
        {histogram_page(text(12, span(0, 2)) + text(13, packed_deltas({1})) +
                        text(14, packed_counts({1}))),
         "both whole and fractional"},
        {histogram_page(text(12, span(0, 1)) + text(14, "1234567")), "ends within a number"},
        {histogram_page(text(12, span(0, 1)) + text(13, overlong)), "more than 64 bits"},
        {histogram_page(text(12, span(1LL << 40, 1))), "out of range"},
        {histogram_page(text(12, span(0, 1ULL << 40U))), "out of range"},
        {histogram_page(text(12, span(0, 0)) + signed_number(5, 9)), "a schema that is not"},
        {histogram_page(text(12, span(0, 0)) + signed_number(5, 1LL << 40)),
         "a schema that is not"},
        {histogram_page(text(12, span(0, 0)) + real(6, -1)), "zero threshold"},
    };
    for (const auto& [page, problem] : cases) {
        const std::string found = read_protobuf(page).problem;
        CAPTURE(problem, &page - &cases.front().first);
        CHECK_THAT(found, ContainsSubstring(problem));
        CHECK(found.empty() == problem.empty());
        std::vector<std::string> bytes;
        for (const char byte : page)
            bytes.emplace_back(1, byte);
        CHECK(read_protobuf_pieces(bytes).problem == found);
    }
}

TEST_CASE("each bound of a protobuf page is an error that names it") {
    const auto limited = [](std::size_t PageLimits::*bound, std::size_t most) {
        PageLimits limits;
        limits.*bound = most;
        return limits;
    };
    const std::string page = ordinary_page() + native_page();
    const std::vector<std::pair<PageLimits, std::string>> cases{
        {limited(&PageLimits::max_page_bytes, page.size() - 1), "max_page_bytes"},
        {limited(&PageLimits::max_family_bytes, 40), "max_family_bytes"},
        {limited(&PageLimits::max_samples, 23), "max_samples"},
        {limited(&PageLimits::max_labels, 1), "max_labels"},
        {limited(&PageLimits::max_name_bytes, 4), "max_name_bytes"},
        {limited(&PageLimits::max_label_value_bytes, 6), "max_label_value_bytes"},
        {limited(&PageLimits::max_buckets, 1), "max_buckets"},
    };
    for (const auto& [limits, name] : cases) {
        CAPTURE(name);
        CHECK_THAT(read_protobuf(page, {}, limits).problem,
                   Catch::Matchers::StartsWith("too_large: ") &&
                       ContainsSubstring("more than PageLimits::" + name + " = "));
    }
    PageLimits exact;
    exact.max_page_bytes = page.size();
    exact.max_samples = 24;
    exact.max_labels = 2;
    exact.max_buckets = 3;
    CHECK(read_protobuf(page, {}, exact).problem == "");
}

TEST_CASE("the huge size of a protobuf family allocates nothing") {
    CHECK_THAT(read_protobuf("\xff\xff\xff\xff\x7f").problem,
               ContainsSubstring("max_family_bytes"));
}

TEST_CASE("the name of a family is made harmless in an error of a protobuf page") {
    const std::string problem = read_protobuf(family("g\x1b[31m", gauge_type, {"\xff"})).problem;
    CHECK(problem.find('\x1b') == std::string::npos);
    CHECK_THAT(problem, ContainsSubstring("family 1 (g"));
}

TEST_CASE("an error of a protobuf page stays until a restart") {
    ProtobufParser parser;
    ProtobufSink sink;
    const Result<void> first = parser.feed(std::string(1, '\0'), sink);
    REQUIRE(first.has_error());
    CHECK(parser.feed(ordinary_page(), sink).error() == first.error());
    CHECK(parser.finish(sink).error() == first.error());
    CHECK(sink.page.samples.empty());
}

TEST_CASE("a protobuf page with changed bytes is read alike in one piece and in many") {
    std::mt19937 random(14);
    const std::string good = ordinary_page() + native_page();
    const auto below = [&](std::size_t limit) {
        return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random);
    };
    for (unsigned i = 0; i < test_support::property_cases(3000); ++i) {
        std::string page = good;
        for (std::size_t changes = 1 + below(3); changes > 0; --changes)
            page[below(page.size())] = static_cast<char>(below(256));
        std::vector<std::string> pieces;
        for (std::size_t at = 0; at < page.size();) {
            pieces.push_back(page.substr(at, 1 + below(60)));
            at += pieces.back().size();
        }
        const ProtobufPage whole = read_protobuf(page);
        const ProtobufPage split = read_protobuf_pieces(pieces);
        if (whole.problem != split.problem || whole.samples != split.samples) {
            CAPTURE(i, whole.problem, split.problem);
            FAIL_CHECK("a split changes what is read");
        }
    }
}

} // namespace wva_metrics::exposition::protobuf_pages
