// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/backend/detail/gauge_reading.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <limits>

using namespace wva_metrics;
using namespace wva_metrics::detail;
using namespace std::chrono_literals;
using samples::SignalValue;

namespace {

const samples::ServerTime gauge_now{1'700'000'000s};
const ServerClock gauge_clock{gauge_now, TimePoint(100h)};

SignalValue peak_value() {
    SignalValue value;
    value.reason = ReadingReason::none;
    value.value = 0.95;
    value.latest = 0.1;
    value.time = gauge_now - 40s;
    value.latest_at = gauge_now - 5s;
    value.window = 60s;
    value.spacing = 15s;
    return value;
}

} // namespace

TEST_CASE("a peak has its own age, and the last sample beside it") {
    const auto reading = gauge_reading(peak_value(), MetricName("m"), gauge_clock);
    CHECK(reading.value() == 0.95);
    CHECK(reading.sampled_at() == TimePoint(100h) - 40s);
    CHECK(reading.latest() == 0.1);
    CHECK(reading.latest_at() == TimePoint(100h) - 5s);
    CHECK(reading.last_sample_at() == TimePoint(100h) - 5s);
    CHECK(reading.statistic() == Statistic::peak);
    CHECK(reading.window() == 60s);
    CHECK(reading.spacing() == 15s);
    CHECK(reading.metric() == "m");
    CHECK_FALSE(reading.is_lower_bound());
}

TEST_CASE("without a window a gauge is the last sample") {
    SignalValue value = peak_value();
    value.window = 0s;
    value.value = value.latest;
    value.time = value.latest_at;
    const auto reading = gauge_reading(value, MetricName("m"), gauge_clock);
    CHECK(reading.statistic() == Statistic::last_sample);
    CHECK(reading.value() == 0.1);
    CHECK(reading.window() == 0s);
}

TEST_CASE("a gauge without a value keeps the reason and the time of its last sample") {
    SignalValue value = peak_value();
    value.reason = GENERATE(ReadingReason::no_series, ReadingReason::ambiguous,
                            ReadingReason::unread, ReadingReason::warming_up,
                            ReadingReason::window_too_short, ReadingReason::inconsistent);
    const auto reading = gauge_reading(value, MetricName("m"), gauge_clock);
    CHECK(reading.state() == ReadingState::missing);
    CHECK(reading.reason() == value.reason);
    CHECK(reading.last_sample_at() == TimePoint(100h) - 40s);
    CHECK(reading.spacing() == 15s);
    CHECK(reading.metric() == "m");
}

TEST_CASE("a gauge that was never sampled has no time") {
    const auto reading = gauge_reading(SignalValue{}, MetricName("m"), gauge_clock);
    CHECK(reading.reason() == ReadingReason::no_series);
    CHECK_FALSE(reading.last_sample_at().has_value());
    CHECK_FALSE(local_time(gauge_clock, {}).has_value());
}

TEST_CASE("a gauge that is not a number is invalid, not missing") {
    SignalValue value = peak_value();
    value.reason = ReadingReason::not_finite;
    const auto reading = gauge_reading(value, MetricName("m"), gauge_clock);
    CHECK(reading.state() == ReadingState::invalid);
    CHECK(reading.reason() == ReadingReason::not_finite);
    CHECK(reading.sampled_at() == TimePoint(100h) - 40s);
}
