// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/reading.hpp"

#include <catch2/catch_all.hpp>

#include <limits>
#include <string>
#include <type_traits>
#include <utility>

using namespace wva_metrics;
using namespace std::chrono_literals;

namespace {

constexpr TimePoint midday(12h);

} // namespace

TEST_CASE("a reading that was never requested is missing, not zero") {
    const Reading<double> reading;
    CHECK(reading.state() == ReadingState::missing);
    CHECK(reading.reason() == ReadingReason::not_collected);
    CHECK_FALSE(reading.has_value());
    CHECK_FALSE(reading);
    CHECK_THROWS_AS(reading.value(), BadReadingAccess);
    CHECK(reading.value_or(-1.0) == -1.0);
}

TEST_CASE("a measured number has its time and its metric") {
    const auto reading =
        Reading<double>::measured(0.75, midday, MetricName("vllm:kv_cache_usage_perc"));
    CHECK(reading.state() == ReadingState::present);
    CHECK(reading.reason() == ReadingReason::none);
    CHECK(reading);
    CHECK(reading.value() == 0.75);
    CHECK(reading.value_or(-1.0) == 0.75);
    CHECK(reading.sampled_at() == midday);
    CHECK(reading.metric() == "vllm:kv_cache_usage_perc");
}

TEST_CASE("a measured zero, a negative and the largest number are values") {
    const double value = GENERATE(0.0, -15.3, 42.5, std::numeric_limits<double>::max(),
                                  std::numeric_limits<double>::denorm_min());
    CHECK(Reading<double>::measured(value, midday).value() == value);
    CHECK(Reading<int>::measured(0, midday).value() == 0);
}

TEST_CASE("NaN and infinities are kept for display and never returned as values") {
    const double value =
        GENERATE(std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(),
                 -std::numeric_limits<double>::infinity());
    const auto reading = Reading<double>::measured(value, midday, MetricName("m"));
    CHECK(reading.state() == ReadingState::invalid);
    CHECK(reading.reason() == ReadingReason::not_finite);
    CHECK_FALSE(reading.has_value());
    CHECK_THROWS_AS(reading.value(), BadReadingAccess);
    CHECK(reading.value_or(7.0) == 7.0);
    CHECK(reading.sampled_at() == midday);
    CHECK(std::isnan(reading.raw()) == std::isnan(value));
    CHECK(std::isinf(reading.raw()) == std::isinf(value));
}

TEST_CASE("a missing reading has a reason, also in the exception of value()") {
    const auto reason =
        GENERATE(ReadingReason::not_collected, ReadingReason::no_series, ReadingReason::no_requests,
                 ReadingReason::unattributed, ReadingReason::backend_error);
    const auto reading = Reading<double>::missing(reason, MetricName("m"));
    CHECK(reading.state() == ReadingState::missing);
    CHECK(reading.reason() == reason);
    CHECK(reading.metric() == "m");
    CHECK_THROWS_WITH(reading.value(),
                      Catch::Matchers::ContainsSubstring(std::string(to_string(reason))));
}

TEST_CASE("the age of a reading is never negative, and zero if it is missing") {
    const auto reading = Reading<double>::measured(1.0, midday);
    CHECK(reading.age(midday + 90s) == 90s);
    CHECK(reading.age(midday) == 0s);
    CHECK(reading.age(midday - 5s) == 0s);
    CHECK(Reading<double>().age(midday) == 0s);
    CHECK(Reading<double>::missing(ReadingReason::no_series).age(midday) == 0s);
    const auto invalid = Reading<double>::measured(std::nan(""), midday);
    CHECK(invalid.age(midday + 90s) == 90s);
}

TEST_CASE(
    "metric names are equal if their texts are, and outlive the text that they were made from") {
    MetricName name;
    CHECK(name.view().empty());
    CHECK(name == MetricName(""));
    {
        const std::string text = "vllm:num_requests_waiting and a text too long to be in place";
        name = MetricName(text);
    }
    CHECK(name == MetricName("vllm:num_requests_waiting and a text too long to be in place"));
    CHECK(name.view() == "vllm:num_requests_waiting and a text too long to be in place");
    CHECK_FALSE(name == MetricName("vllm:num_requests_running"));
}

TEST_CASE("a reading can be copied as plain memory") {
    STATIC_CHECK(std::is_trivially_copyable_v<Reading<double>>);
    STATIC_CHECK(sizeof(Reading<double>) <= 56);
}

TEST_CASE("states and reasons have the names of their enumerators") {
    CHECK(to_string(ReadingState::present) == "present");
    CHECK(to_string(ReadingState::missing) == "missing");
    CHECK(to_string(ReadingState::invalid) == "invalid");
    const auto [reason, name] = GENERATE(table<ReadingReason, std::string>({
        {ReadingReason::none, "none"},
        {ReadingReason::not_collected, "not_collected"},
        {ReadingReason::no_series, "no_series"},
        {ReadingReason::warming_up, "warming_up"},
        {ReadingReason::window_too_short, "window_too_short"},
        {ReadingReason::ambiguous, "ambiguous"},
        {ReadingReason::inconsistent, "inconsistent"},
        {ReadingReason::unread, "unread"},
        {ReadingReason::no_requests, "no_requests"},
        {ReadingReason::not_finite, "not_finite"},
        {ReadingReason::unattributed, "unattributed"},
        {ReadingReason::backend_error, "backend_error"},
    }));
    CHECK(to_string(reason) == name);
}
