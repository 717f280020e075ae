// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/promql/selector.hpp"

#include "wva_metrics/promql/detail/series_selector.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

using namespace wva_metrics::promql;
using wva_metrics::Errc;
using wva_metrics::Result;
using wva_metrics::promql::detail::SeriesSelector;
using wva_metrics::promql::detail::WithoutLabel;

namespace {

using Values = std::vector<std::string>;

Result<std::string> try_select(const Values& values, WithoutLabel others = WithoutLabel::excluded) {
    const Values metric = {"m"};
    SeriesSelector selector(metric);
    selector.add("namespace", values, others);
    return std::move(selector).take();
}

/// The matcher of the values alone.
std::string select(const Values& values, WithoutLabel others = WithoutLabel::excluded) {
    const std::string text = try_select(values, others).value();
    const std::string before = R"({__name__="m",)";
    CHECK(text.starts_with(before));
    CHECK(text.ends_with('}'));
    return text.substr(before.size(), text.size() - before.size() - 1);
}

} // namespace

TEST_CASE("one value is selected by equality") {
    CHECK(select({"meta-llama/Llama-3.1"}) == R"(namespace="meta-llama/Llama-3.1")");
    CHECK(select({""}) == R"(namespace="")");
}

TEST_CASE("2.1 row 14: a value cannot break out of its selector") {
    CHECK(select({"x\"} or up{a=\"\n"}) == R"(namespace="x\"} or up{a=\"\n")");
    CHECK(select({"\\"}) == R"(namespace="\\")");
    CHECK(select({"x\"} or up{a=\"\n", "y"}) == R"(namespace=~"x\"\\} or up\\{a=\"\n|y")");
}

TEST_CASE("2.1 row 15: several values are alternatives that match literally") {
    CHECK(select({"a.b", "a"}) == R"(namespace=~"a|a\\.b")");
    CHECK(select({"llama-3.1", "llama|x", "(\"q\")", "b\\s"}) ==
          R"(namespace=~"\\(\"q\"\\)|b\\\\s|llama-3\\.1|llama\\|x")");
    CHECK(select({"", "a"}) == R"(namespace=~"|a")");
}

TEST_CASE("an empty alternative selects the series without the label too") {
    CHECK(select({"a"}, WithoutLabel::included) == R"(namespace=~"a|")");
    CHECK(select({"b", "a"}, WithoutLabel::included) == R"(namespace=~"a|b|")");
}

TEST_CASE("2.1 row 15: the text does not depend on the order or on duplicates") {
    Values values = {"a", "b", "c", "d", "e", "f"};
    const std::string text = select(values);
    values.insert(values.end(), {"a", "f"});
    std::mt19937 random(20'240'603);
    for (int round = 0; round < 50; ++round) {
        std::shuffle(values.begin(), values.end(), random);
        REQUIRE(select(values) == text);
    }
    CHECK(select({"n", "n"}) == R"(namespace="n")");
}

TEST_CASE("a selector may have matchers that are already PromQL") {
    const Values metrics = {"b", "a", "b"};
    SeriesSelector selector(metrics);
    selector.add("");
    selector.add(R"(cluster!="eu")");
    CHECK(std::move(selector).take().value() == R"({__name__=~"a|b",cluster!="eu"})");
}

TEST_CASE("a selector with invalid UTF-8 is refused, and the message names the label") {
    const auto refused = try_select({"m", "x\xFF"});
    REQUIRE(refused.has_error());
    CHECK(refused.error().is(Errc::invalid_argument));
    CHECK(refused.error().message ==
          "label namespace: text is not valid UTF-8: byte 0xff at offset 1 of 2");
    // The first error stays.
    const Values metric = {"m"};
    const Values bad = {"\xC0"};
    SeriesSelector selector(metric);
    selector.add("first", bad);
    selector.add("second", bad);
    CHECK(std::move(selector).take().error().message ==
          "label first: text is not valid UTF-8: byte 0xc0 at offset 0 of 1");
}
