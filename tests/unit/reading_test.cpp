// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/reading.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <cmath>
#include <cstdint>
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
    // What a NaN becomes that somebody takes for a time.
    const auto ancient = Reading<double>::measured(1, TimePoint::min());
    CHECK(ancient.age(midday) == Duration::max());
    CHECK(ancient.latest_age(midday) == Duration::max());
    CHECK(Reading<double>::measured(1, TimePoint::max()).age(midday) == 0s);
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

TEST_CASE("a peak says when it was, over how long it was looked for, and what the last sample is") {
    const auto peak = Reading<double>::measured(0.95, midday - 50s, {},
                                                {.statistic = Statistic::peak,
                                                 .window = 60s,
                                                 .latest = 0.0,
                                                 .last_sample_at = midday - 1s,
                                                 .spacing = 15s});
    CHECK(peak.statistic() == Statistic::peak);
    CHECK(peak.value() == 0.95);
    CHECK(peak.age(midday) == 50s); // Of the sample that holds the value.
    CHECK(peak.latest() == 0);
    CHECK(peak.latest_at() == midday - 1s);
    CHECK(peak.last_sample_at() == midday - 1s);
    CHECK(peak.latest_age(midday) == 1s);
    CHECK(peak.latest_age(midday - 2s) == 0s);
    CHECK(peak.window() == 60s);
    CHECK(peak.spacing() == 15s);
    CHECK_FALSE(peak.is_lower_bound());
}

TEST_CASE("without details the last sample is the value, and nothing else is said") {
    const auto reading = Reading<double>::measured(3, midday);
    CHECK(reading.statistic() == Statistic::unspecified);
    CHECK(reading.latest() == 3);
    CHECK(reading.latest_at() == midday);
    CHECK(reading.last_sample_at() == midday);
    CHECK(reading.window() == 0s);
    CHECK(reading.spacing() == 0s);
    CHECK_FALSE(reading.is_lower_bound());
}

TEST_CASE(
    "a reading without a value says how far apart the samples are, and when the last one was") {
    const auto reading = Reading<double>::missing(ReadingReason::window_too_short, MetricName("m"),
                                                  {.statistic = Statistic::rate,
                                                   .window = 60s,
                                                   .last_sample_at = midday,
                                                   .spacing = 45s,
                                                   .is_lower_bound = true});
    CHECK(reading.statistic() == Statistic::rate);
    CHECK(reading.window() == 60s);
    CHECK(reading.spacing() == 45s);
    CHECK(reading.last_sample_at() == midday);
    CHECK(reading.latest_age(midday + 7s) == 7s);
    CHECK(reading.age(midday + 7s) == 0s);
    CHECK_FALSE(reading.is_lower_bound()); // There is nothing that could be one.
    CHECK_THROWS_AS(reading.latest(), BadReadingAccess);

    const auto unknown = Reading<double>::missing(ReadingReason::no_series);
    CHECK_FALSE(unknown.last_sample_at());
    CHECK(unknown.latest_age(midday) == 0s);
    CHECK_FALSE(Reading<double>().last_sample_at());
}

TEST_CASE("a total that lacks a part is a lower bound") {
    CHECK(Reading<double>::measured(60, midday, {}, {.is_lower_bound = true}).is_lower_bound());
    const auto invalid =
        Reading<double>::measured(std::nan(""), midday, {}, {.is_lower_bound = true});
    CHECK_FALSE(invalid.is_lower_bound());
}

TEST_CASE("a last sample that is not finite makes a reading invalid, because latest() is a value") {
    const auto reading = Reading<double>::measured(0.5, midday, {}, {.latest = std::nan("")});
    CHECK(reading.state() == ReadingState::invalid);
    CHECK(reading.reason() == ReadingReason::not_finite);
    CHECK_THROWS_AS(reading.latest(), BadReadingAccess);
    CHECK(Reading<int>::measured(5, midday, {}, {.latest = 4}).latest() == 4);
}

TEST_CASE("durations of a reading are whole milliseconds, from zero to 49 days") {
    const auto kept = [](Duration duration) {
        const auto reading =
            Reading<double>::measured(1, midday, {}, {.window = duration, .spacing = duration});
        CHECK(reading.window() == reading.spacing());
        return reading.window();
    };
    constexpr auto longest = std::chrono::milliseconds(std::numeric_limits<std::uint32_t>::max());
    CHECK(kept(0s) == 0s);
    CHECK(kept(1ms) == 1ms);
    CHECK(kept(1999us) == 1ms);
    CHECK(kept(-1ms) == 0s);
    CHECK(kept(Duration::min()) == 0s);
    CHECK(kept(longest) == longest);
    CHECK(kept(longest + 1ms) == longest);
    CHECK(kept(Duration::max()) == longest);
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
        {ReadingReason::disputed, "disputed"},
        {ReadingReason::implausible, "implausible"},
        {ReadingReason::not_provided, "not_provided"},
        {ReadingReason::no_requests, "no_requests"},
        {ReadingReason::not_finite, "not_finite"},
        {ReadingReason::unattributed, "unattributed"},
        {ReadingReason::backend_error, "backend_error"},
    }));
    CHECK(to_string(reason) == name);
}

TEST_CASE("statistics have the names of their enumerators") {
    CHECK(to_string(Statistic::unspecified) == "unspecified");
    CHECK(to_string(Statistic::last_sample) == "last_sample");
    CHECK(to_string(Statistic::peak) == "peak");
    CHECK(to_string(Statistic::rate) == "rate");
    CHECK(to_string(Statistic::average) == "average");
    CHECK(to_string(Statistic::quantile) == "quantile");
    CHECK(to_string(Statistic::count) == "count");
}
