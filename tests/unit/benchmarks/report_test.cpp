// SPDX-License-Identifier: Apache-2.0
#include "../../../benchmarks/report/comparison.hpp"
#include "../../../benchmarks/report/environment.hpp"
#include "../../../benchmarks/report/number.hpp"
#include "../../../benchmarks/report/results_json.hpp"
#include "../../../benchmarks/report/samples.hpp"
#include "../../../benchmarks/report/table.hpp"

#include <boost/json.hpp>

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <sstream>
#include <string>
#include <vector>

using namespace bench::report;
using bench::Better;
using Catch::Approx;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;

namespace {

constexpr double without_bound = std::numeric_limits<double>::infinity();

std::string line(const std::string& kind, const std::string& who, double value,
                 const std::string& better, const std::string& work = "w",
                 const std::string& unit = "u") {
    return R"({"path":"p","work":")" + work + R"(","who":")" + who + R"(","unit":")" + unit +
           R"(","better":")" + better + "\",\"" + kind + "\":" + std::to_string(value) + "}\n";
}
std::string value_line(const std::string& who, double value, const std::string& better = "more",
                       const std::string& work = "w") {
    return line("value", who, value, better, work);
}
std::string target_line(const std::string& who, const std::string& kind, double value,
                        const std::string& better = "more") {
    return line(kind, who, value, better);
}

Samples samples(const std::string& text) {
    Samples samples;
    std::istringstream input(text);
    samples.read(input, "program");
    return samples;
}

std::vector<Comparison> compared(const std::string& portable, const std::string& native = "") {
    return compare(samples(portable).all(), samples(native).all());
}

} // namespace

TEST_CASE("each value of the same work and contestant is one round") {
    Samples read = samples("for people\n" + value_line("ours", 1) + value_line("them", 10) +
                           value_line("ours", 2) + value_line("ours", 5, "less", "other"));
    std::istringstream more(value_line("ours", 3));
    read.read(more, "another file");
    REQUIRE(read.all().size() == 2);
    CHECK(read.all()[0].find("ours")->rounds == std::vector<double>{1, 2, 3});
    CHECK(read.all()[0].find("them")->rounds == std::vector<double>{10});
    CHECK(read.all()[0].find("nobody") == nullptr);
    CHECK(read.all()[1].work == "other");
    CHECK(read.all()[1].better == Better::less);
}

TEST_CASE("the same work may be measured in several units, each with its own targets") {
    const auto all = compared(line("value", "ours", 8, "less", "w", "us") +
                                  line("value", "ours", 100, "more", "w", "1/s") +
                                  line("value", "them", 16, "less", "w", "us") +
                                  line("at_least", "them", 2, "less", "w", "us") +
                                  line("value", "them", 90, "more", "w", "1/s"),
                              line("value", "ours", 180, "more", "w", "1/s"));
    REQUIRE(all.size() == 2);
    CHECK(all[0].unit == "us");
    CHECK(all[0].peers[0].target_state() == TargetState::met);
    CHECK_FALSE(all[0].native_ours);
    CHECK(all[1].ours->median == 100);
    CHECK(all[1].peers[0].target_state() == TargetState::none);
    CHECK(all[1].peers[0].native_ratio->median == 2);
}

TEST_CASE("an invalid line is reported with its number") {
    CHECK_THROWS_WITH(samples("text\n{\"path\":"), StartsWith("program:2: "));
    CHECK_THROWS_WITH(samples(value_line("ours", 1) + R"({"path":"p"})"),
                      StartsWith("program:2: "));
    CHECK_THROWS_WITH(samples(value_line("ours", 1) + value_line("them", 1, "less")),
                      ContainsSubstring("\"better\" was different before"));
    CHECK_THROWS_WITH(
        samples(target_line("them", "at_least", 2) + target_line("them", "at_least", 1)),
        ContainsSubstring("the target was different before"));
}

TEST_CASE("median and spread are those of the sorted values") {
    std::mt19937 random(7);
    std::uniform_real_distribution<double> value(0.0, 100.0);
    for (std::size_t count = 1; count < 30; ++count) {
        std::vector<double> values(count);
        std::ranges::generate(values, [&] { return value(random); });
        const Spread spread = spread_of(values).value();
        const auto below =
            std::ranges::count_if(values, [&](double v) { return v < spread.median; });
        const auto above =
            std::ranges::count_if(values, [&](double v) { return v > spread.median; });
        CHECK(below == above);
        CHECK(spread.low == *std::ranges::min_element(values));
        CHECK(spread.high == *std::ranges::max_element(values));
    }
    CHECK(spread_of({1, 2, 4, 8})->median == 3);
    CHECK_FALSE(spread_of({}));
}

TEST_CASE("times better has the same meaning whether more or less is better") {
    CHECK(times_better(Better::more, 30, 10) == 3);
    CHECK(times_better(Better::less, 10, 30) == 3);
    CHECK(times_better(Better::less, 0, 0) == 1);
    CHECK(times_better(Better::less, 0, 5) == without_bound);
    CHECK(times_better(Better::less, 5, 0) == 0);
    CHECK(times_better(Better::more, 5, 0) == without_bound);
}

TEST_CASE("the ratio is the median of the rounds' ratios, not the ratio of the medians") {
    // In the second round the machine was busy for both.
    const auto all =
        compared(value_line("ours", 10) + value_line("them", 5) + value_line("ours", 3) +
                 value_line("them", 1) + value_line("ours", 12) + value_line("them", 4) +
                 value_line("ours", 99));
    REQUIRE(all.size() == 1);
    REQUIRE(all[0].peers.size() == 1);
    CHECK(all[0].ours->median == 11);
    CHECK(all[0].peers[0].theirs == 4);
    CHECK(all[0].peers[0].ratio->median == 3);
    CHECK(all[0].peers[0].ratio->low == 2);
    CHECK(all[0].peers[0].ratio->high == 3);
}

TEST_CASE("a target is met from its exact value on, and is counted") {
    const auto result = [](double ours, const std::string& targets, const std::string& better) {
        return compared(value_line("ours", ours, better) + value_line("them", 10, better) + targets)
            .at(0);
    };
    CHECK(result(20, target_line("them", "at_least", 2), "more").peers[0].target_state() ==
          TargetState::met);
    CHECK(result(19, target_line("them", "at_least", 2), "more").peers[0].target_state() ==
          TargetState::not_met);
    CHECK(result(5, target_line("them", "at_least", 2, "less"), "less").peers[0].target_state() ==
          TargetState::met);
    CHECK(result(6, target_line("them", "at_least", 2, "less"), "less").peers[0].target_state() ==
          TargetState::not_met);
    CHECK(result(6, "", "less").peers[0].target_state() == TargetState::none);
    CHECK(result(20, target_line("ours", "at_most", 20, "less"), "less").target_state() ==
          TargetState::met);
    CHECK(result(21, target_line("ours", "at_most", 20, "less"), "less").target_state() ==
          TargetState::not_met);
    CHECK(result(70, target_line("ours", "at_least", 70), "more").target_state() ==
          TargetState::met);
    CHECK(result(69, target_line("ours", "at_least", 70), "more").target_state() ==
          TargetState::not_met);

    const auto all =
        compared(value_line("ours", 5) + value_line("them", 1) +
                 target_line("them", "at_least", 6) + value_line("others", 1) +
                 target_line("others", "at_least", 5) + target_line("absent", "at_least", 5));
    const TargetCount count = count_targets(all);
    CHECK(count.met == 1);
    CHECK(count.not_met == 1);
    CHECK(count.not_measured == 1);
}

TEST_CASE("the reason for an absent peer applies to its own input only") {
    const std::string targets = value_line("ours", 5) + target_line("Go map", "at_least", 2) +
                                target_line("client_golang", "at_least", 2) +
                                target_line("simdjson", "at_least", 2);
    const auto all = compared(targets + R"({"absent":"Go","why":"no Go"})" + "\n");
    CHECK(all[0].peers[0].absent == "no Go");
    CHECK(all[0].peers[1].absent == "no Go");
    CHECK(all[0].peers[2].absent == "not here");
    CHECK(all[0].peers[0].target_state() == TargetState::not_measured);

    Samples two = samples(targets);
    std::istringstream other(R"({"absent":"Go","why":"no Go"})");
    two.read(other, "another program");
    CHECK(compare(two.all(), {})[0].peers[0].absent == "not here");
}

TEST_CASE("the native build is compared with peers that have a portable build only") {
    const std::string go = value_line("Go", 10);
    const auto all = compared(
        value_line("ours", 20) + value_line("map", 40) + go + target_line("Go", "at_least", 2),
        value_line("ours", 30) + value_line("map", 40) + target_line("Go", "at_least", 2));
    CHECK(all[0].native_ours->median == 30);
    CHECK(all[0].peers[0].ratio->median == 0.5);
    CHECK(all[0].peers[0].native_ratio->median == 0.75);
    CHECK(all[0].peers[1].ratio->median == 2);
    CHECK(all[0].peers[1].native_ratio->median == 3);
    // The native build did not measure this work.
    const auto other = compared(value_line("ours", 20) + go, target_line("Go", "at_least", 2));
    CHECK_FALSE(other[0].native_ours);
    CHECK_FALSE(other[0].peers[0].native_ratio);
}

TEST_CASE("numbers are written with three digits and without trailing zeros") {
    CHECK(readable(0) == "0");
    CHECK(readable(0.02134) == "0.0213");
    CHECK(readable(0.9996) == "1");
    CHECK(readable(4) == "4");
    CHECK(readable(1.304) == "1.3");
    CHECK(readable(29.84) == "29.8");
    CHECK(readable(99.96) == "100");
    CHECK(readable(100) == "100");
    CHECK(readable(12'345) == "12 300");
    CHECK(readable(-2.5) == "-2.5");
    CHECK(readable(without_bound) == "\u221e");
    // The error is at most half of the third digit.
    std::mt19937 random(3);
    std::uniform_real_distribution<double> exponent(-6.0, 12.0);
    for (int i = 0; i < 2000; ++i) {
        const double value = std::pow(10.0, exponent(random));
        std::string digits = readable(value);
        std::erase(digits, ' ');
        CHECK(std::stod(digits) == Approx(value).epsilon(0.0051));
    }
}

TEST_CASE("the table names path and work once, and aligns text that is not ASCII") {
    const std::string them = "them | \u00d7";
    const auto lines =
        table_of(compared(value_line("ours", 20) + value_line(them, 10) + value_line("ours", 30) +
                          value_line(them, 10) + target_line(them, "at_least", 1.5) +
                          target_line("ours", "at_most", 10) + value_line("ours", 1, "more", "x")));
    CHECK(text_table(lines) ==
          "  work  ours  peer      theirs  times better  spread  target        native\n"
          "\np\n"
          "  w     25 u                                  20\u201330   \u2264 10 NOT MET\n"
          "              them | \u00d7  10      2.5           2\u20133     \u2265 1.5 met\n"
          "  x     1 u\n");
    CHECK(markdown_table(lines) ==
          "| path | work | ours | peer | theirs | times better | spread | target | native |\n"
          "|---|---|---|---|---|---|---|---|---|\n"
          "| p | w | 25 u | | | | 20\u201330 | \u2264 10 NOT MET | |\n"
          "| | | | them \\| \u00d7 | 10 | 2.5 | 2\u20133 | \u2265 1.5 met | |\n"
          "| | x | 1 u | | | | | | |\n");
}

TEST_CASE("work is grouped by path, in whatever order it was measured") {
    const auto work_of = [](const std::string& path, const std::string& work) {
        return R"({"path":")" + path + R"(","work":")" + work +
               R"(","who":"ours","unit":"u","better":"more","value":1})" + "\n";
    };
    std::string order;
    for (const Comparison& comparison :
         compared(work_of("b", "1") + work_of("a", "2") + work_of("b", "3") + work_of("a", "0")))
        order += comparison.path + comparison.work + ' ';
    CHECK(order == "b1 b3 a2 a0 ");
}

TEST_CASE("the results are valid JSON") {
    const auto all = compared(value_line("ours", 0, "less") + value_line("them", 5, "less") +
                              target_line("them", "at_least", 2, "less") +
                              target_line("Go", "at_least", 2, "less"));
    const Environment here{"a \"cpu\"", 2, "GCC 12", "-O3", "abc", "2026-01-01", "quick"};
    const auto json = boost::json::parse(results_json(all, here)).as_object();
    CHECK(json.at("environment").at("cpu") == "a \"cpu\"");
    const auto& row = json.at("results").at(0);
    CHECK(row.at("ours").at("median").to_number<double>() == 0);
    CHECK(row.at("peers").at(0).at("times_better").at("median") == "infinite");
    CHECK(row.at("peers").at(0).at("target_met") == true);
    CHECK(row.at("peers").at(1).at("absent") == "not here");
    CHECK_FALSE(row.at("peers").at(1).as_object().contains("target_met"));
    CHECK(here.describe() == "a \"cpu\", 2 cores; GCC 12 -O3; commit abc, 2026-01-01; quick");
}

TEST_CASE("recorded results can be read again") {
    const std::string written = results_json(
        compared(value_line("ours", 0.1, "less") + value_line("them", 5, "less") +
                     target_line("them", "at_least", 2, "less") +
                     value_line("ours", 0, "less", "x") + value_line("them", 1, "less", "x") +
                     value_line("ours", 1, "more", "y") +
                     target_line("ours", "at_most", 3, "less") +
                     target_line("Go", "at_least", 2, "less"),
                 value_line("ours", 0.3, "less")),
        Environment{"cpu", 2, "GCC 12", "-O3", "abc", "2026-01-01", "quick"});
    const RecordedResults read = read_results(written);
    CHECK(results_json(read.comparisons, read.environment) == written);
    CHECK(read.comparisons.at(0).program == "program");
    CHECK(read.comparisons.at(1).peers.at(0).ratio->median == without_bound);
    CHECK_THROWS(read_results("{}"));
}

TEST_CASE("the name of the processor is the one that Linux gives") {
    std::istringstream known("processor\t: 0\nmodel name\t: A CPU @ 2 GHz\nmodel name\t: B\n");
    CHECK(bench::report::detail::model_name(known) == "A CPU @ 2 GHz");
    std::istringstream empty("model name\t:");
    CHECK(bench::report::detail::model_name(empty).empty());
    std::istringstream unknown("processor\t: 0\n");
    CHECK(bench::report::detail::model_name(unknown) == "unknown processor");
}
