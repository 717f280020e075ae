// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/backend/detail/pod_readings.hpp"

#include "support/query_times.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <chrono>
#include <limits>
#include <string>
#include <utility>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::detail;
using namespace std::chrono_literals;
using promql::Part;
using test_support::requested_at;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

constexpr double evaluated_at = 1'700'000'000;
const std::vector<MetricName> names = {MetricName("new"), MetricName("old"), MetricName("older")};

/// The sorted rows of one pod.
class Pod {
public:
    Pod& add(Part part, double value, std::size_t alias = 0, const std::string& engine = "") {
        rows_.push_back({0, "p-0", engine, {part, alias}, value, evaluated_at, requested_at});
        std::ranges::sort(rows_, {}, &SignalRow::order);
        return *this;
    }
    Pod& sampled(double seconds_ago, std::size_t alias = 0, const std::string& engine = "") {
        return add(Part::time, evaluated_at - seconds_ago, alias, engine);
    }
    operator std::span<const SignalRow>() const { return rows_; }

private:
    std::vector<SignalRow> rows_;
};

Reading<double> gauge(const Pod& pod, AcrossEngines across = AcrossEngines::highest) {
    return gauge_reading(pod, names, across, 60s);
}
RateTotal rate_of(const Pod& pod) {
    RateTotal total;
    add_rate(total, pod, names.size(), 60s);
    return total;
}
RateTotal average_of(const Pod& pod) {
    RateTotal total;
    add_average(total, pod, names.size(), 60s);
    return total;
}

} // namespace

TEST_CASE("a gauge with a time row was sampled at that time") {
    const Reading<double> reading = gauge(Pod().add(Part::value, 0.4).sampled(20));
    CHECK(reading.value() == 0.4);
    CHECK(reading.age(requested_at) == 20s);
    CHECK(reading.metric() == "new");
}

TEST_CASE("a gauge without a time row is one window old, because its series has ended") {
    CHECK(gauge(Pod().add(Part::value, 0.4)).age(requested_at) == 60s);
}

TEST_CASE("a gauge with only a time row is missing") {
    const Reading<double> reading = gauge(Pod().sampled(200));
    CHECK(reading.state() == ReadingState::missing);
    CHECK(reading.reason() == ReadingReason::no_series);
}

TEST_CASE("a sample from the future has age zero, and no sample is older than a day") {
    CHECK(gauge(Pod().add(Part::value, 1).sampled(-100)).sampled_at() == requested_at);
    CHECK(gauge(Pod().add(Part::value, 1).sampled(1e300)).age(requested_at) == 24h);
}

TEST_CASE("a pod's reading is as old as its oldest engine's") {
    const bool swapped = GENERATE(false, true);
    Pod pod;
    pod.add(Part::value, 1, 0, "a").sampled(swapped ? 9 : 5, 0, "a");
    pod.add(Part::value, 2, 0, "b").sampled(swapped ? 5 : 9, 0, "b");
    CHECK(gauge(pod).value() == 2);
    CHECK(gauge(pod, AcrossEngines::sum).value() == 3);
    CHECK(gauge(pod).age(requested_at) == 9s);
}

TEST_CASE("an engine whose series has ended counts only if no engine is alive") {
    Pod pod = Pod().add(Part::value, 7, 0, "a").add(Part::value, 9, 0, "b");
    CHECK(gauge(pod, AcrossEngines::sum).value() == 16);
    pod.sampled(1, 0, "a");
    CHECK(gauge(pod, AcrossEngines::sum).value() == 7);
    CHECK(gauge(pod).value() == 7);
}

TEST_CASE("a pod has living series if any of them has a time row, whatever its name and engine") {
    Pod pod = Pod().add(Part::value, 7, 0, "a").add(Part::value, 9, 1, "b");
    CHECK_FALSE(has_living_series(pod));
    CHECK_FALSE(has_living_series(Pod()));
    pod.sampled(200, 1, "b");
    CHECK(has_living_series(pod));
}

TEST_CASE("an engine that reports NaN makes the pod's reading invalid") {
    const double odd = GENERATE(not_a_number, infinity);
    const Pod pod =
        Pod().add(Part::value, 1, 0, "a").add(Part::value, odd, 0, "b").add(Part::value, 2, 0, "c");
    CHECK(gauge(pod).state() == ReadingState::invalid);
    CHECK(gauge(pod, AcrossEngines::sum).state() == ReadingState::invalid);
}

TEST_CASE("the most preferred living name is used, or else the most preferred one") {
    Pod pod = Pod().add(Part::value, 1, 0).add(Part::value, 2, 1).add(Part::value, 3, 2);
    CHECK(gauge(pod).metric() == "new");
    pod.sampled(1, 2);
    CHECK(gauge(pod).metric() == "older");
    CHECK(gauge(pod).value() == 3);
    pod.sampled(1, 1);
    CHECK(gauge(pod).metric() == "old");
    pod.sampled(1, 0);
    CHECK(gauge(pod).metric() == "new");
    CHECK(gauge(pod).value() == 1);
}

TEST_CASE("a name that is not in the profile is not used") {
    CHECK(gauge(Pod().add(Part::value, 1, 3)).state() == ReadingState::missing);
}

TEST_CASE("the rates of pods add up, whichever metric name each pod has") {
    const Pod older = Pod().add(Part::rate, 1, 1).sampled(9, 1);
    const Pod newer = Pod().add(Part::rate, 2, 0).sampled(5, 0);
    const bool swapped = GENERATE(false, true);
    RateTotal total;
    add_rate(total, swapped ? newer : older, names.size(), 60s);
    add_rate(total, swapped ? older : newer, names.size(), 60s);
    add_rate(total, Pod(), names.size(), 60s);
    CHECK(total.pods == 2);
    const Reading<double> reading = per_minute(total, names);
    CHECK(reading.value() == 180);
    CHECK(reading.age(requested_at) == 9s);
    CHECK(reading.metric() == "new");
}

TEST_CASE("a rate that is not finite makes the total invalid") {
    RateTotal total = rate_of(Pod().add(Part::rate, 1));
    add_rate(total, Pod().add(Part::rate, not_a_number), names.size(), 60s);
    CHECK(per_minute(total, names).state() == ReadingState::invalid);
}

TEST_CASE("an average is the sum of sums divided by the sum of counts") {
    RateTotal total = average_of(Pod().add(Part::sum, 100).add(Part::count, 1).sampled(3));
    add_average(total, Pod().add(Part::sum, 50).add(Part::count, 4).sampled(7), names.size(), 60s);
    const Reading<double> reading = average(total, names, 60s, 0.5);
    CHECK(reading.value() == 30);
    CHECK(reading.age(requested_at) == 7s);
}

TEST_CASE("half a histogram is ignored") {
    CHECK(average_of(Pod().add(Part::sum, 100).sampled(3)).pods == 0);
    CHECK(average_of(Pod().add(Part::count, 1).sampled(3)).pods == 0);
    // Not even if another name has the other half.
    CHECK(average_of(Pod().add(Part::count, 1, 0).sampled(3).add(Part::sum, 1, 1)).pods == 0);
}

TEST_CASE("an average over fewer requests than the minimum is missing") {
    const auto average_over = [](double per_second, double min_requests) {
        return average(
            average_of(Pod().add(Part::sum, 5 * per_second).add(Part::count, per_second)), names,
            60s, min_requests);
    };
    CHECK(average_over(0.5 / 60, 0.5).value() == Catch::Approx(5));
    CHECK(average_over(0.4 / 60, 0.5).reason() == ReadingReason::no_requests);
    CHECK(average_over(0.4 / 60, 0.5).metric() == "new");
    CHECK(average_over(0.4 / 60, 0).value() == Catch::Approx(5));
    CHECK(average_over(0, 0).reason() == ReadingReason::no_requests);
}

TEST_CASE("an average of values that are not finite is invalid") {
    const auto [sum, count] = GENERATE(std::pair(not_a_number, 1.0), std::pair(1.0, not_a_number),
                                       std::pair(infinity, 1.0), std::pair(1.0, infinity));
    const Reading<double> reading =
        average(average_of(Pod().add(Part::sum, sum).add(Part::count, count)), names, 60s, 0.5);
    CHECK(reading.state() == ReadingState::invalid);
}

TEST_CASE("a pod with thousands of engines is aggregated in a moment") {
    // If each engine were compared with all others, this would take minutes.
    std::vector<SignalRow> rows;
    constexpr int engines = 50'000;
    for (int i = 0; i < engines; ++i)
        for (const Part part : {Part::value, Part::time})
            rows.push_back({0, "", std::to_string(i), {part, 0}, 1, evaluated_at, requested_at});
    std::ranges::sort(rows, {}, &SignalRow::order);
    CHECK(gauge_reading(rows, names, AcrossEngines::sum, 60s).value() == engines);
}
