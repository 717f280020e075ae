// SPDX-License-Identifier: Apache-2.0
#include "../../../benchmarks/report/bar_chart.hpp"
#include "../../../benchmarks/report/comparison.hpp"
#include "../../../benchmarks/report/plots.hpp"
#include "../../../benchmarks/report/ratio_chart.hpp"
#include "../../../benchmarks/report/svg.hpp"

#include <catch2/catch_all.hpp>

#include <cmath>
#include <limits>
#include <regex>
#include <string>
#include <utility>
#include <vector>

using namespace bench::report;
using Catch::Approx;
using Catch::Matchers::ContainsSubstring;

namespace {

/// All values of an attribute in the elements of a class, in order.
std::vector<double> attributes(const std::string& svg, const std::string& style,
                               const std::string& name) {
    const std::regex element("<[a-z]+ class=\"" + style + "\"[^>]* " + name + "=\"([-0-9.]+)\"");
    std::vector<double> values;
    for (std::sregex_iterator found(svg.begin(), svg.end(), element), end; found != end; ++found)
        values.push_back(std::stod((*found)[1]));
    return values;
}

/// Whether every tag is closed, in the right order, as XML requires.
bool is_well_formed(const std::string& svg) {
    std::vector<std::string> open;
    const std::regex tag("<(/?)([a-zA-Z]+)[^<>]*?(/?)>");
    for (std::sregex_iterator found(svg.begin(), svg.end(), tag), end; found != end; ++found) {
        const std::smatch& match = *found;
        if (match[1].length() > 0) {
            if (open.empty() || open.back() != match[2])
                return false;
            open.pop_back();
        } else if (match[3].length() == 0) {
            open.push_back(match[2]);
        }
    }
    return open.empty();
}

Comparison comparison(double ours, std::vector<std::pair<std::string, double>> peers,
                      double at_least = 0) {
    Comparison made;
    made.path = "path";
    made.work = "work";
    made.unit = "ops/s";
    made.ours = Spread{ours, ours * 0.9, ours * 1.1};
    for (auto& [who, theirs] : peers) {
        PeerComparison peer;
        peer.who = std::move(who);
        peer.theirs = theirs;
        const double ratio = ours / theirs;
        peer.ratio = Spread{ratio, ratio * 0.5, ratio * 2};
        if (at_least > 0)
            peer.at_least = at_least;
        made.peers.push_back(std::move(peer));
    }
    return made;
}

} // namespace

TEST_CASE("a picture is well-formed, has two colour schemes, and contains no script") {
    Svg svg;
    svg.text(1, 2, "plain", Svg::Anchor::middle, "a < b & \"c\" > d");
    svg.rect(0, 0, -1, 5, "ours");
    const std::string text = svg.document(100, 50, "<title>");
    CHECK(is_well_formed(text));
    CHECK_THAT(text, ContainsSubstring("a &lt; b &amp; &quot;c&quot; &gt; d"));
    CHECK_THAT(text, ContainsSubstring("<title>&lt;title&gt;</title>"));
    CHECK_THAT(text, ContainsSubstring("prefers-color-scheme: dark"));
    CHECK_THAT(text, !ContainsSubstring("script"));
    CHECK_THAT(text, !ContainsSubstring("\"-1.0\""));
}

TEST_CASE("the ticks of an axis are round and do not exceed the largest value") {
    CHECK(linear_ticks(10) == std::vector<double>{0, 2, 4, 6, 8, 10});
    CHECK(linear_ticks(0) == std::vector<double>{0});
    for (double most = 0.001; most < 1e6; most *= 1.07) {
        const auto ticks = linear_ticks(most);
        CHECK(ticks.size() >= 4);
        CHECK(ticks.size() <= 8);
        CHECK(ticks.front() == 0);
        CHECK(ticks.back() <= most * 1.0001);
        CHECK(ticks.back() > most * 0.6);
    }
}

TEST_CASE("small print breaks at spaces and loses no characters") {
    CHECK(wrapped("aa bb cc", 5) == std::vector<std::string>{"aa bb", "cc"});
    CHECK(wrapped("aa", 5) == std::vector<std::string>{"aa"});
    CHECK(wrapped("unbreakable", 5) == std::vector<std::string>{"unbreakable"});
    CHECK(wrapped("", 5) == std::vector<std::string>{""});
}

TEST_CASE("the length of a bar is its value, and its parts follow one another") {
    const BarChart chart{"title",
                         "unit",
                         {{"group",
                           {{"a", {{10, "ours"}}, "10", {{8, 12}}},
                            {"b", {{5, "peer"}}, "5"},
                            {"c", {{2, "first"}, {3, "second"}, {1, "third"}}, "6"}}}},
                         {{"first", "hit"}},
                         "small print"};
    const std::string svg = draw(chart);
    CHECK(is_well_formed(svg));
    const double ours = attributes(svg, "ours", "width").at(0);
    CHECK(attributes(svg, "peer", "width").at(0) == Approx(ours / 2).margin(0.2));
    CHECK(attributes(svg, "second", "width").at(0) == Approx(ours * 0.3).margin(0.2));
    const double left = attributes(svg, "ours", "x").at(0);
    CHECK(attributes(svg, "second", "x").at(0) == Approx(left + ours * 0.2).margin(0.2));
    CHECK(attributes(svg, "whisker", "x2").at(0) == Approx(left + ours * 1.2).margin(0.2));
    for (const char* words : {"title", "unit", "group", "hit", "small print"})
        CHECK_THAT(svg, ContainsSubstring(words));
}

TEST_CASE("a chart without bars or with an infinite value is still a valid picture") {
    CHECK(is_well_formed(draw(BarChart{"title", "unit", {}})));
    const double infinite = std::numeric_limits<double>::infinity();
    const std::string svg = draw(
        BarChart{"title",
                 "unit",
                 {{"group", {{"a", {{infinite, "ours"}}, "\u221e"}, {"b", {{1, "peer"}}, "1"}}}}});
    CHECK(is_well_formed(svg));
    CHECK_THAT(svg, !ContainsSubstring("nan") && !ContainsSubstring("\"inf"));
    CHECK(is_well_formed(draw_ratios({}, "title", "small print")));
}

TEST_CASE("ratios are drawn on a logarithmic axis, and those below their target stand out") {
    const std::string svg =
        draw_ratios({comparison(10, {{"as good", 10}, {"ten times", 1}, {"hundred", 0.1}}, 20)},
                    "title", "small print");
    CHECK(is_well_formed(svg));
    const auto not_met = attributes(svg, "bad", "cx");
    const auto met = attributes(svg, "ours", "cx");
    REQUIRE(not_met.size() == 2);
    REQUIRE(met.size() == 1);
    CHECK(met[0] - not_met[1] == Approx(not_met[1] - not_met[0]).margin(0.3));
    CHECK(attributes(svg, "goal", "x1").size() == 3);
    CHECK_THAT(svg, ContainsSubstring("work \u00b7 as good"));
}

TEST_CASE("there is a chart per path and unit") {
    Comparison other = comparison(1, {});
    other.work = "more work";
    Comparison bytes = comparison(5, {});
    bytes.unit = "B";
    Comparison nobody;
    nobody.path = "unmeasured";
    const auto charts =
        charts_of({comparison(10, {{"them", 4}}), bytes, other, nobody}, "small print");
    REQUIRE(charts.size() == 2);
    CHECK(charts[0].axis == "ops/s (more is better)");
    REQUIRE(charts[0].groups.size() == 2);
    REQUIRE(charts[0].groups[0].bars.size() == 2);
    CHECK(charts[0].groups[0].bars[1].label == "them");
    CHECK(charts[0].groups[1].heading == "more work");
    CHECK(charts[1].axis == "B (more is better)");
}

TEST_CASE("file names have only lower-case letters, digits and underscores") {
    CHECK(file_name("cache read: in place, 95 % / 5 %") == "cache_read_in_place_95_5");
    CHECK(file_name("  ").empty());
}
