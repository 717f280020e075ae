// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/testing/detail/prometheus_answer.hpp"
#include "wva_metrics/testing/detail/promql/evaluator.hpp"
#include "wva_metrics/testing/detail/promql/parse_promql.hpp"

#include <catch2/catch_all.hpp>

#include <cmath>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace wva_metrics::testing::detail;

// tests/integration/fake_prometheus_test.cpp compares these results with a real Prometheus.

namespace {

class Fixture {
public:
    void add(std::vector<LabelSet::Label> labels, const std::vector<Sample>& samples) {
        for (const Sample& sample : samples)
            store.append(LabelSet(labels), sample);
    }

    PromqlValue value(std::string_view query, Milliseconds time) const {
        return evaluate(*parse_promql(query), store, time);
    }

    /// `{labels} value` of each sample of a vector.
    std::vector<std::string> vector(std::string_view query, Milliseconds time) const {
        std::vector<std::string> lines;
        const PromqlValue result = value(query, time);
        for (const auto& sample : std::get<InstantVector>(result))
            lines.push_back(sample.labels.describe() + ' ' + format_number(sample.value));
        return lines;
    }

    std::string failure_of(std::string_view query, Milliseconds time) const {
        try {
            value(query, time);
        } catch (const QueryFailure& failure) {
            CHECK(failure.http_status() == 422);
            return failure.what();
        }
        return "";
    }

    SeriesStore store;
};

using Lines = std::vector<std::string>;
constexpr Milliseconds second = 1000;

} // namespace

TEST_CASE_METHOD(Fixture, "a sample counts for exactly five minutes") {
    add({{"__name__", "up"}}, {{10 * second, 1}});
    CHECK(vector("up", 10 * second - 1).empty());
    CHECK(vector("up", 10 * second) == Lines{"{__name__=\"up\"} 1"});
    CHECK(vector("up", 310 * second) == Lines{"{__name__=\"up\"} 1"});
    CHECK(vector("up", 310 * second + 1).empty());
}

TEST_CASE_METHOD(Fixture, "an ended series has no value until its next sample") {
    add({{"__name__", "up"}}, {{10 * second, 1}, {20 * second, 0, true}, {30 * second, 2}});
    CHECK(vector("up", 19 * second).size() == 1);
    CHECK(vector("up", 20 * second).empty());
    CHECK(vector("up", 30 * second) == Lines{"{__name__=\"up\"} 2"});
    CHECK(vector("count_over_time(up[1m])", 30 * second) == Lines{"{} 2"});
}

TEST_CASE_METHOD(Fixture, "a range includes both its ends") {
    add({{"__name__", "m"}}, {{0, 1}, {10 * second, 2}, {20 * second, 4}, {30 * second, 8}});
    CHECK(vector("sum_over_time(m[20s])", 30 * second) == Lines{"{} 14"});
    CHECK(vector("sum_over_time(m[20s])", 30 * second + 1) == Lines{"{} 12"});
    CHECK(vector("min_over_time(m[20s])", 30 * second) == Lines{"{} 2"});
    CHECK(vector("max_over_time(m[20s])", 29 * second) == Lines{"{} 4"});
    CHECK(vector("avg_over_time(m[10s])", 30 * second) == Lines{"{} 6"});
    CHECK(vector("last_over_time(m[10s])", 39 * second) == Lines{"{__name__=\"m\"} 8"});
    CHECK(vector("max_over_time(m[10s])", 41 * second).empty());
}

TEST_CASE_METHOD(Fixture, "a rate handles a reset and is extrapolated to the edges of the window") {
    add({{"__name__", "m"}}, {{0, 100}, {10 * second, 110}, {20 * second, 5}, {30 * second, 15}});
    // 10 before the reset, 5 and 10 after it; the samples reach both edges of the window.
    CHECK(vector("increase(m[30s])", 30 * second) == Lines{"{} 25"});
    CHECK(vector("rate(m[10s])", 30 * second) == Lines{"{} 1"});
    // Half an interval beyond the last sample if the gap is longer than 1.1 intervals.
    CHECK(vector("increase(m[30s])", 50 * second) == Lines{"{} 15"});
    // There is no rate of one sample.
    CHECK(vector("rate(m[5s])", 30 * second).empty());
}

TEST_CASE_METHOD(Fixture, "a counter is not extrapolated below zero") {
    add({{"__name__", "m"}}, {{10 * second, 2}, {20 * second, 12}});
    // The counter was 0 two seconds before the first sample, not 9.
    CHECK(vector("increase(m[19s])", 20 * second) == Lines{"{} 12"});
}

TEST_CASE_METHOD(Fixture,
                 "NaN is a value, but is the largest or the smallest only if all are NaN") {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    add({{"__name__", "m"}, {"k", "a"}}, {{0, nan}, {10 * second, 3}, {20 * second, nan}});
    add({{"__name__", "m"}, {"k", "b"}}, {{20 * second, nan}});
    CHECK(vector("max_over_time(m[1m])", 20 * second) == Lines{"{k=\"a\"} 3", "{k=\"b\"} NaN"});
    CHECK(vector("max(m)", 20 * second) == Lines{"{} NaN"});
    CHECK(vector("max(m)", 10 * second) == Lines{"{} 3"});
    CHECK(vector("min(max_over_time(m[1m]))", 20 * second) == Lines{"{} 3"});
    CHECK(vector("count(m)", 20 * second) == Lines{"{} 2"});
}

TEST_CASE_METHOD(Fixture, "timestamp is the time of the sample for a selector") {
    add({{"__name__", "m"}}, {{10'500, 3}});
    CHECK(vector("timestamp(m)", 60 * second) == Lines{"{} 10.5"});
    CHECK(vector("timestamp(-m)", 60 * second) == Lines{"{} 60"});
    CHECK(vector("timestamp(last_over_time(m[1m]))", 60 * second) == Lines{"{} 60"});
}

TEST_CASE_METHOD(Fixture, "the steps of a subquery lie on multiples of its step") {
    add({{"__name__", "m"}}, {{0, 1}, {70 * second, 2}, {130 * second, 3}});
    const auto steps = std::get<RangeVector>(value("timestamp(m)[2m:1m]", 150 * second));
    REQUIRE(steps.size() == 1);
    REQUIRE(steps[0].samples.size() == 2);
    CHECK(steps[0].samples[0].time == 60 * second);
    CHECK(steps[0].samples[0].value == 0);
    CHECK(steps[0].samples[1].time == 120 * second);
    CHECK(steps[0].samples[1].value == 70);
    CHECK(vector("max_over_time(timestamp(m)[1h:1m])", 150 * second) == Lines{"{} 70"});
}

TEST_CASE_METHOD(Fixture, "groups are formed by the labels that are kept") {
    add({{"__name__", "m"}, {"a", "1"}, {"b", "1"}}, {{0, 1}});
    add({{"__name__", "m"}, {"a", "1"}, {"b", "2"}}, {{0, 2}});
    add({{"__name__", "m"}, {"b", "2"}}, {{0, 5}});
    CHECK(vector("sum by (a) (m)", 0) == Lines{"{} 5", "{a=\"1\"} 3"});
    CHECK(vector("avg without (a) (m)", 0) == Lines{"{b=\"1\"} 1", "{b=\"2\"} 3.5"});
    CHECK(vector("count by (nosuch) (m)", 0) == Lines{"{} 3"});
    CHECK(vector("sum by (__name__) (m)", 0) == Lines{"{__name__=\"m\"} 8"});
}

TEST_CASE_METHOD(Fixture, "topk keeps the largest members of each group with all labels") {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    add({{"__name__", "m"}, {"a", "1"}, {"b", "1"}}, {{0, 1}});
    add({{"__name__", "m"}, {"a", "1"}, {"b", "2"}}, {{0, 3}});
    add({{"__name__", "m"}, {"a", "2"}, {"b", "1"}}, {{0, nan}});
    add({{"__name__", "m"}, {"a", "2"}, {"b", "2"}}, {{0, -2}});
    const std::string one = R"({__name__="m", a="1", b="2"} 3)";
    const std::string two = R"({__name__="m", a="2", b="2"} -2)";
    CHECK(vector("topk(1, m)", 0) == Lines{one});
    CHECK(vector("topk by (a) (1, m)", 0) == Lines{one, two});
    CHECK(vector("topk(1, m) by (a)", 0) == Lines{one, two});
    CHECK(vector("topk(9, m)", 0).size() == 4);
    CHECK(vector("topk(0, m)", 0).empty());
    CHECK(vector("topk(-1, m)", 0).empty());
}

TEST_CASE_METHOD(Fixture, "set operators match on all labels except the metric name") {
    add({{"__name__", "a"}, {"k", "1"}}, {{0, 1}});
    add({{"__name__", "b"}, {"k", "1"}}, {{0, 2}});
    add({{"__name__", "b"}, {"k", "2"}}, {{0, 3}});
    CHECK(vector("a or b", 0) ==
          Lines{"{__name__=\"a\", k=\"1\"} 1", "{__name__=\"b\", k=\"2\"} 3"});
    CHECK(vector("b and a", 0) == Lines{"{__name__=\"b\", k=\"1\"} 2"});
    CHECK(vector("b unless a", 0) == Lines{"{__name__=\"b\", k=\"2\"} 3"});
    CHECK(vector("a / b", 0) == Lines{"{k=\"1\"} 0.5"});
    CHECK(vector("b * 2", 0) == Lines{"{k=\"1\"} 4", "{k=\"2\"} 6"});
    CHECK(std::get<double>(value("2 * (3 - 1) / 8", 0)) == 0.5);
}

TEST_CASE_METHOD(Fixture, "label_replace keeps the metric name and replaces the label") {
    add({{"__name__", "m"}, {"wva_part", "old"}}, {{0, 1}});
    CHECK(vector(R"(label_replace(m, "wva_part", "new", "", ""))", 0) ==
          Lines{"{__name__=\"m\", wva_part=\"new\"} 1"});
    CHECK(vector(R"(label_replace(m, "wva_part", "", "", ""))", 0) == Lines{"{__name__=\"m\"} 1"});
    CHECK(vector(R"(label_replace(m, "x", "y", "wva_part", "o"))", 0) ==
          Lines{"{__name__=\"m\", wva_part=\"old\"} 1"});
}

TEST_CASE_METHOD(Fixture, "two series that become equal are an error") {
    add({{"__name__", "a"}, {"k", "1"}}, {{0, 1}});
    add({{"__name__", "b"}, {"k", "1"}}, {{0, 2}});
    const std::string both = R"({__name__=~"a|b"})";
    const char* duplicate = "vector cannot contain metrics with the same labelset";
    CHECK(failure_of("max_over_time(" + both + "[1m])", 0) == duplicate);
    CHECK(failure_of("-" + both, 0) == duplicate);
    CHECK(failure_of("timestamp(" + both + ")", 0) == duplicate);
    CHECK(failure_of(both + " * 2", 0) == duplicate);
    CHECK(failure_of(both + " + a", 0).starts_with("multiple matches for labels"));
    CHECK(failure_of("a + " + both, 0).starts_with("found duplicate series for the match group"));
    CHECK(vector("last_over_time(" + both + "[1m])", 0).size() == 2);
}

TEST_CASE_METHOD(Fixture, "a query fails only if it reads more samples than allowed") {
    for (const char* pod : {"a", "b", "c"})
        add({{"__name__", "m"}, {"pod", pod}}, {{0, 1}, {1, 2}});
    CHECK_THROWS_WITH(evaluate(*parse_promql("count_over_time(m[1m])"), store, 1, 4),
                      Catch::Matchers::ContainsSubstring("too many samples"));
    CHECK_NOTHROW(evaluate(*parse_promql("count_over_time(m{pod!=\"a\"}[1m])"), store, 1, 4));
}
