// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/testing/detail/exposition_page.hpp"

#include "wva_metrics/exposition/page_limits.hpp"

#include <catch2/catch_all.hpp>

#include <cmath>
#include <string>

using namespace wva_metrics::testing::detail;

TEST_CASE("the samples of a page are parsed with their labels, values and times") {
    const auto page = parse_exposition_page("# HELP up Whether \"it\" is up {\n"
                                            "# TYPE up gauge\n"
                                            "\n"
                                            "up 1\r\n"
                                            "vllm:x_bucket{le=\"+Inf\", pod = \"p\", } +Inf 1700\n"
                                            "  nan{} NaN\n"
                                            "esc{a=\"q\\\"b\\\\n\\n,}\"} -1.5e-3\n"
                                            "other{a=\"x\\qy\"} 1\n"
                                            "last 2");
    REQUIRE(page.has_value());
    REQUIRE(page->size() == 6);
    CHECK((*page)[0].series == LabelSet{{"__name__", "up"}});
    CHECK((*page)[0].value == 1);
    CHECK_FALSE((*page)[0].time);
    CHECK((*page)[1].series ==
          LabelSet{{"__name__", "vllm:x_bucket"}, {"le", "+Inf"}, {"pod", "p"}});
    CHECK(std::isinf((*page)[1].value));
    CHECK((*page)[1].time == 1700);
    CHECK(std::isnan((*page)[2].value));
    CHECK((*page)[3].series.get("a") == "q\"b\\n\n,}");
    CHECK((*page)[3].value == -0.0015);
    CHECK((*page)[4].series.get("a") == "x\\qy"); // As Prometheus reads an unknown escape.
    CHECK((*page)[5].value == 2);
}

TEST_CASE("the error names the line that is not a sample") {
    for (const char* bad :
         {"up", "up x", "up{ 1", "up{a} 1", "up{a=b} 1", "up{a=\"b} 1", "up{a=\"b\" c=\"d\"} 1",
          "1up 1", "up{1a=\"b\"} 1", "up 1 2 3", "up 1 x", "up{a=\"b\\", "up 1x"}) {
        const auto page = parse_exposition_page("up 1\n" + std::string(bad) + "\nup 2\n");
        INFO(bad);
        REQUIRE_FALSE(page.has_value());
        CHECK(page.error().is(wva_metrics::Errc::bad_response));
        CHECK(page.error().message.starts_with("line 2, column "));
    }
}

TEST_CASE("a page may be larger than that of any one server") {
    const std::string pod(10'000, 'p');
    std::string text;
    while (text.size() <= wva_metrics::exposition::PageLimits().max_page_bytes)
        text += "up{pod=\"" + pod + "\"} 1\n";
    const auto page = parse_exposition_page(text);
    REQUIRE(page.has_value());
    CHECK(page->back().series.get("pod") == pod);
}
