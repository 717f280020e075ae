// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/backend/detail/signal_total.hpp"

#include "wva_metrics/engine/known_engines.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <limits>
#include <random>
#include <string>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::detail;
using namespace std::chrono_literals;
using Catch::Matchers::WithinRel;
using samples::PodLife;
using samples::PodReport;
using samples::SignalValue;

namespace {

const samples::ServerTime total_now{1'700'000'000s};
const ServerClock total_clock{total_now, TimePoint(100h)};
const wva_metrics::detail::SignalMetrics total_names(vllm_profile());

constexpr auto lives = {PodLife::alive, PodLife::part, PodLife::unread,
                        PodLife::ended, PodLife::gone, PodLife::ambiguous};

SignalValue measured_value(double value, samples::ServerDuration age = 0s, double weight = 1) {
    SignalValue measured;
    measured.reason = ReadingReason::none;
    measured.value = value;
    measured.weight = weight;
    measured.time = total_now - age;
    measured.window = 60s;
    measured.spacing = 15s;
    return measured;
}

SignalValue failed_value(ReadingReason reason, samples::ServerDuration age = 0s) {
    SignalValue failed;
    failed.reason = reason;
    failed.time = total_now - age;
    failed.spacing = 60s;
    return failed;
}

PodReport report_with(Signal signal, const SignalValue& value, PodLife life = PodLife::alive,
                      const std::string& pod = "p") {
    PodReport report;
    report.pod = pod;
    report.life = life;
    report.values[wva_metrics::detail::index_of(signal)] = value;
    return report;
}

/// A total of the arrival rates of pods.
struct RateTotal : SignalTotal {
    RateTotal() : SignalTotal(Signal::arrival_rate) {}
    void add_pod(const SignalValue& value, PodLife life = PodLife::alive,
                 const std::string& pod = "p") {
        add(report_with(Signal::arrival_rate, value, life, pod));
    }
    Reading<double> result() const { return reading(total_names, total_clock, 0.5); }
};

/// The same of their averages.
struct AverageTotal : SignalTotal {
    AverageTotal() : SignalTotal(Signal::ttft) {}
    void add_pod(double sum, double count) {
        add(report_with(Signal::ttft, measured_value(sum, 0s, count)));
    }
    Reading<double> result(double min_requests = 0.5) const {
        return reading(total_names, total_clock, min_requests);
    }
};

} // namespace

TEST_CASE("a total of nothing is empty") {
    RateTotal total;
    CHECK(total.empty());
    total.add_pod(failed_value(ReadingReason::no_series));
    CHECK(total.empty());
    CHECK(total.counted() == 0);
    CHECK(total.missing().empty());
}

TEST_CASE("a rate is per minute, and as old as the newest sample that it counts") {
    RateTotal total;
    total.add_pod(measured_value(1, 30s));
    total.add_pod(measured_value(2, 4s), PodLife::ended);
    total.add_pod(measured_value(0.5, 50s));
    const Reading<double> rate = total.result();
    CHECK_THAT(rate.value(), WithinRel(210.0, 1e-12));
    CHECK(rate.sampled_at() == TimePoint(100h) - 4s);
    CHECK(rate.statistic() == Statistic::rate);
    CHECK(rate.window() == 60s);
    CHECK(rate.spacing() == 15s);
    CHECK(rate.metric() == "vllm:request_success_total");
    CHECK_FALSE(rate.is_lower_bound());
    CHECK(total.counted() == 3);
}

TEST_CASE("the longest window and spacing of the pods are those of the total") {
    RateTotal total;
    SignalValue longer = measured_value(1);
    longer.window = 240s;
    longer.spacing = 60s;
    total.add_pod(longer);
    total.add_pod(measured_value(1));
    CHECK(total.result().window() == 240s);
    CHECK(total.result().spacing() == 60s);
}

TEST_CASE("a pod that lives without a usable value makes the total a lower bound") {
    const PodLife life = GENERATE(values(lives));
    const ReadingReason reason =
        GENERATE(ReadingReason::ambiguous, ReadingReason::unread, ReadingReason::window_too_short,
                 ReadingReason::warming_up, ReadingReason::inconsistent, ReadingReason::not_finite);
    CAPTURE(to_string(life), to_string(reason));
    RateTotal total;
    total.add_pod(measured_value(1), PodLife::alive, "a");
    total.add_pod(failed_value(reason), life, "b");
    const bool is_there = life != PodLife::ended && life != PodLife::gone;
    CHECK(total.result().value() == 60);
    CHECK(total.result().is_lower_bound() == is_there);
    CHECK(total.missing() ==
          (is_there ? std::vector<std::string>{"b"} : std::vector<std::string>{}));
    CHECK(total.counted() == 1);
}

TEST_CASE("a pod that is partly read is in the total, and makes it a lower bound") {
    RateTotal total;
    total.add_pod(measured_value(1), PodLife::part, "a");
    total.add_pod(measured_value(2), PodLife::alive, "b");
    CHECK(total.result().value() == 180);
    CHECK(total.result().is_lower_bound());
    CHECK(total.missing() == std::vector<std::string>{"a"});
    CHECK(total.counted() == 1);
}

TEST_CASE("a pod that does not expose the signal is not missing from the total") {
    RateTotal total;
    total.add_pod(measured_value(1));
    total.add_pod(failed_value(ReadingReason::no_series));
    CHECK(total.result().value() == 60);
    CHECK_FALSE(total.result().is_lower_bound());
}

TEST_CASE("if no pod has a value, the reason that asks for an action is given") {
    const std::vector<ReadingReason> in_order = {
        ReadingReason::not_finite, ReadingReason::ambiguous,        ReadingReason::inconsistent,
        ReadingReason::unread,     ReadingReason::window_too_short, ReadingReason::warming_up};
    for (std::size_t i = 0; i < in_order.size(); ++i) {
        for (std::size_t j = 0; j < in_order.size(); ++j) {
            RateTotal total;
            total.add_pod(failed_value(in_order[i], 7s), PodLife::alive, "a");
            total.add_pod(failed_value(in_order[j], 7s), PodLife::alive, "b");
            CHECK_FALSE(total.empty());
            const Reading<double> rate = total.result();
            CHECK(rate.reason() == in_order[std::min(i, j)]);
            CHECK_FALSE(rate.has_value());
            CHECK(rate.last_sample_at() == TimePoint(100h) - 7s);
            CHECK(rate.spacing() == 60s);
            CHECK(total.counted() == 0);
            CHECK(total.missing() == std::vector<std::string>{"a", "b"});
        }
    }
}

TEST_CASE("a pod with a value hides no other pod, whichever comes first") {
    const bool value_first = GENERATE(false, true);
    RateTotal total;
    if (value_first)
        total.add_pod(measured_value(1), PodLife::alive, "a");
    total.add_pod(failed_value(ReadingReason::not_finite), PodLife::alive, "b");
    if (!value_first)
        total.add_pod(measured_value(1), PodLife::alive, "a");
    CHECK(total.result().value() == 60);
    CHECK(total.missing() == std::vector<std::string>{"b"});
}

TEST_CASE("a total that overflows is invalid") {
    RateTotal total;
    total.add_pod(measured_value(std::numeric_limits<double>::max()));
    total.add_pod(measured_value(std::numeric_limits<double>::max()));
    CHECK(total.result().state() == ReadingState::invalid);
}

TEST_CASE("an average is that of all requests, not of all pods") {
    AverageTotal total;
    total.add_pod(1 * 100, 1);
    total.add_pod(3 * 200, 3);
    CHECK_THAT(total.result().value(), WithinRel(175.0, 1e-12));
    CHECK(total.result().statistic() == Statistic::average);
    CHECK(total.result().metric() == "vllm:time_to_first_token_seconds");
}

TEST_CASE("an average over fewer requests than the minimum is missing") {
    AverageTotal total;
    total.add_pod(10, 0.25 / 60);
    CHECK(total.result(0.5).reason() == ReadingReason::no_requests);
    CHECK_FALSE(total.result(0.5).metric().empty());
    total.add_pod(10, 0.25 / 60);
    CHECK_THAT(total.result(0.5).value(), WithinRel(20 / (0.5 / 60), 1e-9));
    CHECK(AverageTotal().empty());
}

TEST_CASE("an average over no requests is missing even if the minimum is zero") {
    AverageTotal total;
    total.add_pod(0, 0);
    CHECK(total.result(0).reason() == ReadingReason::no_requests);
}

TEST_CASE("an average with an infinite part is invalid, not zero") {
    static constexpr double infinite = std::numeric_limits<double>::infinity();
    const auto [sum, count] =
        GENERATE(table<double, double>({{1, infinite}, {infinite, 1}, {infinite, infinite}}));
    AverageTotal total;
    total.add_pod(sum, count);
    CHECK(total.result().state() == ReadingState::invalid);
}

TEST_CASE("the most preferred name of the pods is that of the total") {
    SignalTotal total(Signal::itl);
    SignalValue older = measured_value(1);
    older.alias = 1;
    total.add(report_with(Signal::itl, older));
    CHECK(total.reading(total_names, total_clock, 0).metric() ==
          "vllm:time_per_output_token_seconds");
    total.add(report_with(Signal::itl, measured_value(1)));
    CHECK(total.reading(total_names, total_clock, 0).metric() ==
          "vllm:inter_token_latency_seconds");
}

TEST_CASE("a total does not depend on the order of the pods, and accounts for each of them") {
    std::mt19937 random(20);
    for (int round = 0; round < 500; ++round) {
        std::vector<PodReport> pods;
        double expected = 0;
        std::size_t whole = 0;
        std::vector<std::string> missing;
        for (int i = 0; i < static_cast<int>(random() % 7); ++i) {
            const PodLife life = std::data(lives)[random() % lives.size()];
            const auto reason =
                std::vector{ReadingReason::none, ReadingReason::none, ReadingReason::no_series,
                            ReadingReason::warming_up}[random() % 4];
            const bool has_value = reason == ReadingReason::none;
            SignalValue value = has_value ? measured_value(static_cast<double>(random() % 8))
                                          : failed_value(reason);
            pods.push_back(report_with(Signal::arrival_rate, value, life, std::to_string(i)));
            expected += has_value ? 60 * value.value : 0;
            const bool is_whole = has_value && life != PodLife::part;
            whole += is_whole ? 1 : 0;
            if (!is_whole && reason != ReadingReason::no_series && may_live(life))
                missing.push_back(pods.back().pod);
        }
        std::ranges::shuffle(pods, random);
        RateTotal total;
        for (const PodReport& pod : pods)
            total.add(pod);
        std::vector<std::string> found = total.missing();
        std::ranges::sort(found);
        REQUIRE(total.counted() == whole);
        REQUIRE(found == missing);
        if (!total.empty())
            REQUIRE(total.result().value_or(0) == expected);
    }
}

TEST_CASE("a pod of a server that does not provide the signal is missing from what others have") {
    RateTotal total;
    total.add_pod(failed_value(ReadingReason::not_provided), PodLife::alive, "b");
    CHECK(total.empty());
    CHECK(total.missing().empty());
    CHECK(total.why_empty() == ReadingReason::not_provided);
    total.add_pod(failed_value(ReadingReason::not_provided), PodLife::ended, "c");
    total.add_pod(measured_value(1), PodLife::alive, "a");
    CHECK(total.result().value() == 60);
    CHECK(total.result().is_lower_bound());
    CHECK(total.missing() == std::vector<std::string>{"b"});
}

TEST_CASE("a total is not provided only if no pod's server may have it") {
    RateTotal total;
    CHECK(total.why_empty() == ReadingReason::no_series);
    total.add_pod(failed_value(ReadingReason::not_provided));
    total.add_pod(failed_value(ReadingReason::no_series));
    CHECK(total.empty());
    CHECK(total.why_empty() == ReadingReason::no_series);
}
