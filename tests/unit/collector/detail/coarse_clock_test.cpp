// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/collector/detail/coarse_clock.hpp"
#include "wva_metrics/collector/detail/hot_config.hpp"
#include "wva_metrics/config.hpp"
#include "wva_metrics/testing/manual_time.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>

using namespace wva_metrics;
using namespace std::chrono_literals;
using detail::coarse_now;

TEST_CASE("the coarse clock is never ahead of the exact one and never goes back") {
    using Clock = std::chrono::steady_clock;
    Clock::time_point last = coarse_now<Clock>();
    for (int i = 0; i < 10'000; ++i) {
        const Clock::time_point coarse = coarse_now<Clock>();
        CHECK(coarse >= last);
        CHECK(coarse <= Clock::now());
        last = coarse;
    }
    // Not another epoch; a whole minute late would be no clock any more.
    CHECK(Clock::now() - last < 1min);
}

TEST_CASE("a manual clock is read exactly") {
    const auto before = coarse_now<testing::ManualClock>();
    testing::ManualClock::advance(1ns);
    CHECK(coarse_now<testing::ManualClock>() - before == 1ns);
}

TEST_CASE("the coarse clock is good enough unless an age below a second matters") {
    CacheConfig config;
    CHECK(detail::HotConfig(config).coarse_clock_ok());
    config.ttl = 999ms;
    CHECK_FALSE(detail::HotConfig(config).coarse_clock_ok());
    config.ttl = 1s;
    CHECK(detail::HotConfig(config).coarse_clock_ok());
    config.freshness_thresholds.replica_metrics = 500ms;
    CHECK_FALSE(detail::HotConfig(config).coarse_clock_ok());
    detail::HotConfig settings(config);
    settings.store(CacheConfig{});
    CHECK(settings.coarse_clock_ok());
}
