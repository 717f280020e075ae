// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/freshness.hpp"

#include <catch2/catch_all.hpp>

#include <optional>
#include <utility>

using namespace wva_metrics;
using namespace std::chrono_literals;

TEST_CASE("the default thresholds are 30 seconds and 5 minutes") {
    constexpr FreshnessThresholds thresholds;
    STATIC_CHECK(thresholds.optimizer_metrics == 30s);
    STATIC_CHECK(thresholds.replica_metrics == 30s);
    STATIC_CHECK(thresholds.unavailable == 5min);
}

TEST_CASE("an age below the first threshold is fresh, below the second stale, else unavailable") {
    const auto [age, expected] = GENERATE(table<Duration, Freshness>({
        {0s, Freshness::fresh},
        {30s, Freshness::fresh},
        {59s, Freshness::fresh},
        {1min - 1ns, Freshness::fresh},
        {1min, Freshness::stale},
        {3min, Freshness::stale},
        {4min + 59s, Freshness::stale},
        {5min - 1ns, Freshness::stale},
        {5min, Freshness::unavailable},
        {10min, Freshness::unavailable},
        {Duration::max(), Freshness::unavailable},
    }));
    CHECK(classify_age(age, 1min, 5min) == expected);
}

TEST_CASE("thresholds can be of any length") {
    CHECK(classify_age(5s, 10s, 30s) == Freshness::fresh);
    CHECK(classify_age(15s, 10s, 30s) == Freshness::stale);
    CHECK(classify_age(35s, 10s, 30s) == Freshness::unavailable);
    CHECK(classify_age(500us, 1ms, 5ms) == Freshness::fresh);
    CHECK(classify_age(3ms, 1ms, 5ms) == Freshness::stale);
    CHECK(classify_age(10ms, 1ms, 5ms) == Freshness::unavailable);
    CHECK(classify_age(30min, 1h, 5h) == Freshness::fresh);
    CHECK(classify_age(90min, 1h, 5h) == Freshness::stale);
    CHECK(classify_age(6h, 1h, 5h) == Freshness::unavailable);
}

TEST_CASE("with equal thresholds nothing is stale") {
    CHECK(classify_age(30s - 1ns, 30s, 30s) == Freshness::fresh);
    CHECK(classify_age(30s, 30s, 30s) == Freshness::unavailable);
    CHECK(classify_age(0s, 0s, 0s) == Freshness::unavailable);
}

TEST_CASE("a snapshot is as fresh as its oldest sample, and unavailable without one") {
    const FreshnessThresholds thresholds;
    const TimePoint now(24h);
    CHECK(freshness_of(now - 9s, now, 10s, thresholds) == Freshness::fresh);
    CHECK(freshness_of(now - 10s, now, 10s, thresholds) == Freshness::stale);
    CHECK(freshness_of(now - 5min, now, 10s, thresholds) == Freshness::unavailable);
    CHECK(freshness_of(std::nullopt, now, 10s, thresholds) == Freshness::unavailable);
    CHECK(freshness_of(TimePoint::min(), now, 10s, thresholds) == Freshness::unavailable);
    CHECK(freshness_of(TimePoint::max(), now, 10s, thresholds) == Freshness::fresh);
}

TEST_CASE("each freshness has the name of its enumerator") {
    CHECK(to_string(Freshness::fresh) == "fresh");
    CHECK(to_string(Freshness::stale) == "stale");
    CHECK(to_string(Freshness::unavailable) == "unavailable");
}
