// SPDX-License-Identifier: Apache-2.0
#include "../../../benchmarks/report/axis.hpp"
#include "../../../benchmarks/report/bar_chart.hpp"
#include "../../../benchmarks/report/comparison.hpp"
#include "../../../benchmarks/report/draw.hpp"
#include "../../../benchmarks/report/ratio_chart.hpp"
#include "../../../benchmarks/report/svg.hpp"
#include "../../../benchmarks/report/text_width.hpp"
#include "../../../benchmarks/report/write_pictures.hpp"
#include "support/temporary_directory.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <limits>
#include <regex>
#include <set>
#include <string>
#include <utility>
#include <vector>

using namespace bench::report;
using Catch::Approx;
using Catch::Matchers::ContainsSubstring;

namespace {

constexpr double infinite = std::numeric_limits<double>::infinity();

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

/// Where a text of a picture is.
struct PlacedText {
    std::string words;
    double left;
    double right;
    double y;
};

std::vector<PlacedText> texts_of(const std::string& svg) {
    const std::regex element("<text class=\"([a-z]+)\" x=\"([-0-9.]+)\" y=\"([-0-9.]+)\" "
                             "text-anchor=\"([a-z]+)\">([^<]*)<");
    std::vector<PlacedText> texts;
    for (std::sregex_iterator found(svg.begin(), svg.end(), element), end; found != end; ++found) {
        const std::smatch& match = *found;
        const Font font = match[1] == "strong"  ? strong_font
                          : match[1] == "faint" ? faint_font
                                                : plain_font;
        const double width = text_width(match[5].str(), font);
        const double share = match[4] == "end" ? 1 : match[4] == "middle" ? 0.5 : 0;
        const double left = std::stod(match[2]) - share * width;
        texts.push_back({match[5], left, left + width, std::stod(match[3])});
    }
    return texts;
}

/// Fails the test if a text is cut off, or covers another text.
void check_texts(const std::string& svg) {
    const std::vector<PlacedText> texts = texts_of(svg);
    CHECK_FALSE(texts.empty());
    const double height = attributes(svg, "page", "height").at(0);
    for (const PlacedText& text : texts) {
        INFO(text.words);
        CHECK(text.left >= 0);
        CHECK(text.right <= layout::picture_width);
        CHECK(text.y <= height);
        CHECK(std::ranges::none_of(texts, [&](const PlacedText& other) {
            return &other != &text && std::abs(other.y - text.y) < 12 && other.left < text.right &&
                   text.left < other.right;
        }));
    }
}

BarChart one_group(std::vector<Bar> bars) {
    return {"title", "unit", {{"group", std::move(bars)}}};
}

/// As many groups as given, of three bars each.
BarChart tall_chart(std::size_t groups) {
    BarChart chart{"title", "unit", {}};
    for (std::size_t i = 0; i < groups; ++i)
        chart.groups.push_back(
            {"group " + std::to_string(i),
             {{"a", {{1, "ours"}}, "1"}, {"b", {{2, "peer"}}, "2"}, {"c", {{3, "peer"}}, "3"}}});
    return chart;
}

Comparison comparison(double ours, std::vector<std::pair<std::string, double>> peers,
                      double at_least = 0) {
    Comparison made;
    made.program = "program";
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

TEST_CASE("the ticks of a linear axis are round and do not exceed the largest value") {
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

TEST_CASE("the ticks of a logarithmic axis are powers of ten, and steps between them if few") {
    CHECK(logarithmic_ticks(0.5, 30) == std::vector<double>{0.5, 1, 2, 5, 10, 20});
    CHECK(logarithmic_ticks(3, 40'000) == std::vector<double>{10, 100, 1'000, 10'000});
}

TEST_CASE("an axis has no place for infinity, and a logarithmic one none for 0") {
    const Axis linear = Axis::linear(100, 200, 50);
    CHECK(linear.x_of(25) == 150);
    CHECK_FALSE(linear.x_of(infinite).has_value());
    CHECK(Axis::linear(100, 200, 0).x_of(0) == 100);
    const Axis logarithmic = Axis::logarithmic(100, 200, 1, 100);
    CHECK(logarithmic.x_of(10).value() == Approx(150));
    CHECK_FALSE(logarithmic.x_of(0).has_value());
    CHECK(Axis::logarithmic(100, 200, 5, 5).x_of(5) == 100);
}

TEST_CASE("the estimated width of a text is its width in DejaVu Sans or a little more") {
    // Measured at 13 pixels.
    const std::vector<std::pair<std::string, double>> measured{
        {"boost::unordered_flat_map, one thread, no TTL", 305.7},
        {"the Go original's plan, replayed", 203.9},
        {"0.0672 (1.52 : 76 900)", 146.8},
        {"WWW MMM %% @@", 135.3},
        {"iiii llll ...", 49.6},
        {"Boost.JSON DOM, monotonic_resource", 248.3}};
    for (const auto& [text, width] : measured) {
        INFO(text);
        CHECK(text_width(text) >= width);
        CHECK(text_width(text) <= width * 1.25);
    }
    CHECK(text_width("abc", strong_font) > text_width("abc"));
    CHECK(text_width("\u221e\u00b7") == Approx(2 * text_width("\u00b7")));
}

TEST_CASE("a text breaks at spaces and loses no characters") {
    const double five = text_width("aa bb");
    CHECK(wrapped("aa bb cc", five) == std::vector<std::string>{"aa bb", "cc"});
    CHECK(wrapped("aa", five) == std::vector<std::string>{"aa"});
    CHECK(wrapped("unbreakable aa", five) == std::vector<std::string>{"unbreakable", "aa"});
    CHECK(wrapped("", five) == std::vector<std::string>{""});
}

TEST_CASE("the length of a bar is its value, and its parts follow one another") {
    BarChart chart = one_group({{"a", {{10, "ours"}}, "10", {{8, 12}}, 11},
                                {"b", {{5, "peer"}}, "5"},
                                {"c", {{2, "first"}, {3, "second"}, {1, "third"}}, "6"}});
    chart.legend = {{"third", "miss"}};
    chart.footnote = "small print";
    const std::string svg = draw(chart);
    CHECK(is_well_formed(svg));
    const double ours = attributes(svg, "ours", "width").at(0);
    CHECK(attributes(svg, "peer", "width").at(0) == Approx(ours / 2).margin(0.2));
    CHECK(attributes(svg, "second", "width").at(0) == Approx(ours * 0.3).margin(0.2));
    const double left = attributes(svg, "ours", "x").at(0);
    CHECK(attributes(svg, "second", "x").at(0) == Approx(left + ours * 0.2).margin(0.2));
    CHECK(attributes(svg, "whisker", "x2").at(0) == Approx(left + ours * 1.2).margin(0.2));
    CHECK(attributes(svg, "goal", "x1").at(0) == Approx(left + ours * 1.1).margin(0.2));
    for (const char* words : {"title", "unit", "group", "miss", "small print"})
        CHECK_THAT(svg, ContainsSubstring(words));
}

TEST_CASE("values of more than two decades are dots on a logarithmic axis") {
    const std::string linear =
        draw(one_group({{"a", {{1, "ours"}}, "1"}, {"b", {{100, "ours"}}, "100"}}));
    CHECK(attributes(linear, "ours", "width").size() == 2);
    const std::string svg = draw(one_group({{"p50", {{0.1, "ours"}}, "0.1"},
                                            {"p99", {{10, "ours"}}, "10"},
                                            {"first", {{1'000, "ours"}}, "1 000"},
                                            {"none", {{0, "ours"}}, "0"}}));
    CHECK(attributes(svg, "ours", "width").empty());
    const auto dots = attributes(svg, "ours", "cx");
    REQUIRE(dots.size() == 3);
    CHECK(dots[1] - dots[0] == Approx(dots[2] - dots[1]).margin(0.3));
    CHECK(dots[1] - dots[0] > 100);
    // Parts of a whole cannot be added on such an axis.
    CHECK_FALSE(needs_logarithmic_axis(
        one_group({{"a", {{0.1, "first"}, {99, "second"}}, ""}, {"b", {{0.1, "first"}}, ""}})));
}

TEST_CASE("no text of a picture is cut off or covers another one") {
    BarChart chart =
        one_group({{"a", {{1, "ours"}}, "1"},
                   {std::string("10 000 variants, a backend that answers at once: CPU per ") +
                        "variant, over that of 1 000, on two threads",
                    {{120'000, "peer"}},
                    "120 000 (1.23 : 147 000)"},
                   {"b", {{infinite, "ours"}}, "\u221e"}});
    chart.title = std::string(30, 'W') + ' ' + std::string(30, 'W') + ' ' + std::string(30, 'W');
    chart.groups.front().heading = chart.title;
    chart.axis = chart.title;
    chart.footnote = chart.title;
    for (const char* style : {"ours", "peer", "bad", "whisker", "goal", ""})
        chart.legend.emplace_back(style, "the meaning of this sign, in some words");
    check_texts(draw(chart));
    for (double most = 1; most < 1e9; most *= 7)
        check_texts(draw(one_group({{"a", {{1, "ours"}}, "1"}, {"b", {{most, "ours"}}, "2"}})));
}

TEST_CASE("a chart that is too tall is divided and loses no bar") {
    CHECK(pages_of(tall_chart(3)).size() == 1);
    BarChart chart = tall_chart(40);
    for (int i = 0; i < 100; ++i)
        chart.groups[20].bars.push_back({std::to_string(i), {{1, "ours"}}, "1"});
    const auto pages = pages_of(chart);
    REQUIRE(pages.size() > 2);
    std::size_t bars = 0;
    for (const BarChart& page : pages) {
        const std::string svg = draw(page);
        CHECK(attributes(svg, "page", "height").at(0) <= layout::most_height + 150);
        bars += attributes(svg, "ours", "width").size() + attributes(svg, "peer", "width").size();
    }
    CHECK(bars == 40 * 3 + 100);
    CHECK(pages[1].title == "title, part 2 of " + std::to_string(pages.size()));
    CHECK(pages.front().groups.front().heading == "group 0");
}

TEST_CASE("a picture that would show nothing is not written") {
    const wva_metrics::test_support::TemporaryDirectory folder;
    const std::filesystem::path path = folder.path();
    write_pictures(path, "empty", {"title", "unit", {}});
    write_pictures(path, "zeros", one_group({{"a", {{0, "ours"}}, "0"}}));
    write_pictures(path, "infinite", one_group({{"a", {{infinite, "ours"}}, "\u221e"}}));
    CHECK(std::filesystem::is_empty(path));
    write_pictures(path, "one", one_group({{"a", {{1, "ours"}}, "1"}}));
    write_pictures(path, "tall", tall_chart(20));
    CHECK(std::filesystem::exists(path / "one.svg"));
    CHECK_FALSE(std::filesystem::exists(path / "one_2.svg"));
    CHECK(std::filesystem::exists(path / "tall_2.svg"));
}

TEST_CASE("an infinite value has only its text") {
    const std::string svg = draw(one_group(
        {{"a", {{infinite, "ours"}}, "\u221e", {{1, infinite}}}, {"b", {{1, "peer"}}, "1"}}));
    CHECK(is_well_formed(svg));
    CHECK(attributes(svg, "ours", "width").empty());
    CHECK_THAT(svg, !ContainsSubstring("nan") && !ContainsSubstring("\"inf"));
}

TEST_CASE("ratios are drawn on a logarithmic axis, and those below their target stand out") {
    const BarChart chart = ratio_chart(
        {comparison(10, {{"as good", 10}, {"ten times", 1}, {"hundred", 0.1}}, 20)}, "program", "");
    const std::string svg = draw(chart);
    CHECK(is_well_formed(svg));
    check_texts(svg);
    // The first of each is the legend's sign.
    const auto not_met = attributes(svg, "bad", "cx");
    const auto met = attributes(svg, "ours", "cx");
    REQUIRE(not_met.size() == 3);
    REQUIRE(met.size() == 2);
    CHECK(met[1] - not_met[2] == Approx(not_met[2] - not_met[1]).margin(0.3));
    CHECK(attributes(svg, "axis", "x1").at(0) == Approx(not_met[1]));
    CHECK(attributes(svg, "goal", "x1").size() == 4);
    CHECK_THAT(svg, ContainsSubstring("10 (10 : 1)"));
    CHECK(chart.legend.size() == 5);
    CHECK(ratio_chart({comparison(1, {{"them", 2}})}, "program", "").legend.size() == 3);
}

TEST_CASE("a program has one chart, in which no two headings are the same") {
    Comparison seconds = comparison(5, {{"them", 4}});
    seconds.unit = "s";
    Comparison alone = comparison(1, {});
    alone.work = "without a peer";
    Comparison other = comparison(1, {{"them", 2}});
    other.program = "other";
    const std::vector<Comparison> all{comparison(10, {{"them", 4}}), seconds, other, alone};
    CHECK(programs_of(all) == std::vector<std::string>{"program", "other"});
    std::set<std::string> headings;
    for (const BarGroup& group : ratio_chart(all, "program", "").groups)
        headings.insert(group.heading);
    CHECK(headings == std::set<std::string>{"path: work (ops/s)", "path: work (s)"});
}
