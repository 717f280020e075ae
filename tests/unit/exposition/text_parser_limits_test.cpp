// SPDX-License-Identifier: Apache-2.0

#include "wva_metrics/exposition/text_parser.hpp"

#include "wva_metrics/error.hpp"
#include "wva_metrics/exposition/conformance_checker.hpp"
#include "wva_metrics/exposition/page_limits.hpp"
#include "wva_metrics/exposition/text_format.hpp"
#include "wva_metrics/exposition/wanted_metrics.hpp"

#include "unit/exposition/read_samples.hpp"

#include <catch2/catch_all.hpp>

#include <cstddef>
#include <iterator>
#include <limits>
#include <string>
#include <string_view>

namespace wva_metrics::exposition {
namespace {

struct Bound {
    std::size_t PageLimits::*limit;
    const char* name;
    std::size_t enough; ///< For the page.
    std::string page;
};

TEST_CASE("each bound of a page must be positive and not beyond all measure") {
    CHECK(validate(PageLimits()).empty());
    constexpr std::size_t PageLimits::*members[] = {
        &PageLimits::max_page_bytes,   &PageLimits::max_line_bytes,
        &PageLimits::max_family_bytes, &PageLimits::max_samples,
        &PageLimits::max_families,     &PageLimits::max_labels,
        &PageLimits::max_name_bytes,   &PageLimits::max_label_value_bytes,
        &PageLimits::max_buckets};
    PageLimits none;
    PageLimits all;
    PageLimits least;
    for (std::size_t PageLimits::*const member : members) {
        none.*member = 0;
        all.*member = std::numeric_limits<std::size_t>::max();
        least.*member = 1;
    }
    CHECK(validate(none).size() == std::size(members));
    CHECK(validate(none).front() == "max_page_bytes must be positive");
    CHECK(validate(all).size() == std::size(members));
    CHECK(validate(all).front() == "max_page_bytes must be at most 1 GiB");
    CHECK(validate(all).back() == "max_buckets must be at most 100000000");
    CHECK(validate(least).empty());
}

TEST_CASE("a page is refused beyond each bound, which the error names") {
    const Bound bounds[] = {
        {&PageLimits::max_page_bytes, "max_page_bytes", 12, "a 1\nb 2\nc 3\n"},
        {&PageLimits::max_line_bytes, "max_line_bytes", 9, "a 1\n# comment\nb 2\n"},
        {&PageLimits::max_samples, "max_samples", 3, "a 1\nb 2\nc 3\n"},
        {&PageLimits::max_families, "max_families", 2,
         "# TYPE a gauge\n# TYPE b gauge\n# TYPE a gauge\n"},
        {&PageLimits::max_labels, "max_labels", 3, "a{x=\"1\",y=\"2\",z=\"3\"} 1\n"},
        {&PageLimits::max_name_bytes, "max_name_bytes", 4, "name 1\n"},
        {&PageLimits::max_name_bytes, "max_name_bytes", 4, "a{name=\"1\"} 1\n"},
        {&PageLimits::max_name_bytes, "max_name_bytes", 4, "# TYPE name gauge\n"},
        {&PageLimits::max_label_value_bytes, "max_label_value_bytes", 4, "a{x=\"v\\\\ue\"} 1\n"},
    };
    for (const Bound& bound : bounds) {
        INFO(bound.name << "\n" << bound.page);
        PageLimits limits;
        limits.*bound.limit = bound.enough;
        CHECK(read_page(bound.page, TextFormat::prometheus_0_0_4, {}, limits).problem == "");
        limits.*bound.limit = bound.enough - 1;
        const std::string problem =
            read_page(bound.page, TextFormat::prometheus_0_0_4, {}, limits).problem;
        CHECK(problem.find("more than PageLimits::" + std::string(bound.name) + " = " +
                           std::to_string(bound.enough - 1) + " allows") != std::string::npos);

        TextParser parser(TextFormat::prometheus_0_0_4, {}, limits);
        const auto ignore = [](const PageSample&) {};
        Result<void> result = parser.feed(bound.page, ignore);
        REQUIRE(!result);
        CHECK(result.error().is(Errc::too_large));
        CHECK(parser.finish(ignore).error() == result.error());
        // The next page is not harmed.
        parser.restart();
        CHECK(parser.feed("a 1\n", ignore).has_value());
        CHECK(parser.finish(ignore).has_value());
        CHECK(parser.samples() == 1);
    }
}

TEST_CASE("a line that never ends is refused before it is stored") {
    PageLimits limits;
    limits.max_line_bytes = 100;
    TextParser parser(TextFormat::prometheus_0_0_4, WantedMetrics({"b"}), limits);
    const auto ignore = [](const PageSample&) {};
    std::size_t fed = 0;
    while (parser.feed("a{x=\"1234", ignore) && fed < 1000)
        ++fed;
    CHECK(fed == 11);
}

TEST_CASE("the checker of conformance has the same bounds") {
    PageLimits limits;
    limits.max_page_bytes = 20;
    limits.max_line_bytes = 15;
    limits.max_labels = 1;
    const auto problem = [&](std::string_view page) {
        ConformanceChecker checker(TextFormat::open_metrics_1_0, limits);
        Result<void> result = checker.feed(page);
        if (result)
            result = checker.finish();
        return result ? "" : result.error().describe();
    };
    CHECK(problem("a{x=\"1\"} 1\n# EOF\n") == "");
    CHECK(problem("a 1\n# HELP b 12345678\n") ==
          "too_large: line 1, column 1: more than PageLimits::max_page_bytes = 20 allows");
    CHECK(problem("# HELP b 1234567\n") ==
          "too_large: line 1, column 1: more than PageLimits::max_line_bytes = 15 allows");
    CHECK(problem("a{x=\"\",y=\"\"} 1\n") ==
          "bad_response: line 1, column 8: more labels than PageLimits::max_labels allows");
}

TEST_CASE("a line of help after a skipped one is skipped, but bounded, and refused after # EOF") {
    const WantedMetrics wanted({"wanted"});
    PageLimits limits;
    limits.max_line_bytes = 20;
    CHECK(read_page("other 1\n# HELP other 12345678\nother 1\n", TextFormat::prometheus_0_0_4,
                    wanted, limits)
              .problem == "line 2, column 1: more than PageLimits::max_line_bytes = 20 allows");
    CHECK(read_page("other 1\n# EOF\n# HELP other x\n", TextFormat::open_metrics_1_0, wanted)
              .problem == "line 3, column 1: expected nothing after # EOF");
    CHECK(read_page("other 1\n# EOF\nother 1\n", TextFormat::open_metrics_1_0, wanted).problem ==
          "line 3, column 1: expected nothing after # EOF");
}

TEST_CASE("names are compared whole, also where their hashes meet") {
    std::vector<std::string> names;
    for (int i = 0; i < 500; ++i)
        names.push_back("name_" + std::to_string(i) + "_total");
    const WantedMetrics wanted(names);
    CHECK_FALSE(wanted.wants_all());
    for (const std::string& name : names) {
        CHECK(wanted.wants(name));
        CHECK_FALSE(wanted.wants(name + "x"));
        CHECK_FALSE(wanted.wants("x" + name));
    }
    CHECK_FALSE(wanted.wants(""));
    CHECK(wanted.wants_any_with_prefix("name_499"));
    CHECK_FALSE(wanted.wants_any_with_prefix("name_500"));
    CHECK(wanted.wants_any_with_prefix(""));
    CHECK(wanted.unwanted_prefix("name_500_total") == "name_500");
    CHECK(wanted.unwanted_prefix("nameless_and_longer_than_the_others") == "namel");
    CHECK(wanted.unwanted_prefix("name_499_total") == "");
    CHECK(wanted.unwanted_prefix("name_499_total_") == "name_499_total_");
    CHECK(wanted.unwanted_prefix("z") == "z");
    CHECK(WantedMetrics().unwanted_prefix("anything") == "");
    CHECK(WantedMetrics().wants("anything"));
    CHECK(WantedMetrics(std::vector<std::string>()).wants_all());
}

} // namespace
} // namespace wva_metrics::exposition
