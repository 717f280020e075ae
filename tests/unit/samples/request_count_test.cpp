// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/samples/request_count.hpp"

#include "unit/samples/measured_view.hpp"

#include <catch2/catch_all.hpp>

#include <vector>

namespace wva_metrics::samples::measured {

namespace {

/// Over ten minutes.
SignalValue counted(std::vector<NewSeries> series) {
    SampleRules rules;
    rules.window = 10min;
    return count_requests(make_view(std::move(series)), vllm_metrics(), now, rules);
}

std::vector<double> constant(int count, double value = 7) {
    return std::vector<double>(static_cast<std::size_t>(count), value);
}

} // namespace

TEST_CASE("the requests of a process in the window are counted, and 0 if it surely had none") {
    // Of 50 samples, 40 are in the window.
    const SignalValue busy = counted({{finished, spaced(15s, 0s, rising(50, 3))}});
    CHECK(busy.reason == ReadingReason::none);
    CHECK(busy.value == 3 * 39);
    CHECK(busy.window == 10min);
    const SignalValue idle = counted({{finished, spaced(15s, 0s, constant(50))}});
    CHECK(idle.reason == ReadingReason::none);
    CHECK(idle.value == 0);
}

TEST_CASE("a process that has been seen for less than the window has not surely had no requests") {
    CHECK(counted({{finished, spaced(15s, 0s, constant(20, 0))}}).reason ==
          ReadingReason::warming_up);
    // All that it counted may have been in the window.
    const SignalValue young = counted({{finished, spaced(15s, 0s, constant(20, 7))}});
    CHECK(young.reason == ReadingReason::none);
    CHECK(young.value == 7);
    CHECK(counted({{finished, spaced(15s, 0s, constant(1, 0))}}).reason ==
          ReadingReason::warming_up);
}

TEST_CASE("a series that begins in the window counts from zero") {
    const SignalValue value = counted(
        {{finished, spaced(15s, 0s, constant(50))}, {finished, spaced(15s, 0s, {2, 2, 3}), "1"}});
    CHECK(value.reason == ReadingReason::none);
    CHECK(value.value == 3);
}

TEST_CASE("a counter that began anew in the window counts from zero") {
    std::vector<double> values = constant(50, 100);
    values[40] = values[41] = 1;
    for (std::size_t i = 42; i < values.size(); ++i)
        values[i] = 4;
    CHECK(counted({{finished, spaced(15s, 0s, values)}}).value == 4);
}

TEST_CASE("a counter that falls a little may have begun anew, and no request is missed") {
    std::vector<double> values = constant(50, 9);
    for (std::size_t i = 45; i < values.size(); ++i)
        values[i] = 8;
    CHECK(counted({{finished, spaced(15s, 0s, values)}}).value == 8);
}

TEST_CASE("while nobody looked, requests may have been served elsewhere") {
    std::vector<Sample> samples = spaced(15s, 0s, constant(50));
    samples.erase(samples.begin() + 30, samples.begin() + 34);
    CHECK(counted({{finished, samples}}).reason == ReadingReason::warming_up);
    samples.back().value += 5;
    CHECK(counted({{finished, samples}}).value == 5);
}

TEST_CASE("what cannot be counted is no 0") {
    CHECK(counted({{queue, spaced(15s, 0s, constant(50))}}).reason == ReadingReason::no_series);
    std::vector<double> broken = constant(50);
    broken.back() = not_a_number;
    CHECK(counted({{finished, spaced(15s, 0s, broken)}}).reason == ReadingReason::not_finite);
}

} // namespace wva_metrics::samples::measured
