// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/resilience/concurrency_limit.hpp"
#include "wva_metrics/resilience/hedging.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <cstddef>
#include <random>

using namespace wva_metrics;
using namespace wva_metrics::resilience;
using namespace std::chrono_literals;

namespace {

const TimePoint limit_start{1h};

} // namespace

TEST_CASE("the concurrency is halved by a failure, and grows by one per round of successes") {
    ConcurrencyLimit limit({}, 10);
    CHECK(limit.limit() == 10);
    limit.succeed();
    CHECK(limit.limit() == 10);
    TimePoint now = limit_start;
    for (const std::size_t expected : {5U, 2U, 1U, 1U, 1U}) {
        now += 1s;
        limit.fail(now - 1ms, now);
        CHECK(limit.limit() == expected);
    }
    limit.succeed();
    CHECK(limit.limit() == 2);
    std::size_t successes = 1;
    while (limit.limit() < 10) {
        limit.succeed();
        ++successes;
        REQUIRE(successes < 100);
    }
    // 1 + 2 + ... + 9, and a few because the limit grows a little with each success.
    CHECK(successes >= 45);
    CHECK(successes <= 55);
}

TEST_CASE("requests that were in flight together lower the concurrency once") {
    ConcurrencyLimit limit({}, 16);
    for (int i = 0; i < 16; ++i)
        limit.fail(limit_start, limit_start + 1s + 1ms * i);
    CHECK(limit.limit() == 8);
    limit.fail(limit_start + 2s, limit_start + 3s);
    CHECK(limit.limit() == 4);
}

TEST_CASE("the concurrency stays between one and its maximum, whatever happens") {
    std::mt19937 engine(5);
    for (std::size_t maximum = 1; maximum < 40; ++maximum) {
        ConcurrencyLimit limit({}, maximum);
        TimePoint now = limit_start;
        for (int i = 0; i < 500; ++i) {
            now += 1ms;
            if (engine() % 4 == 0)
                limit.fail(now - 1ms * static_cast<int>(engine() % 5), now);
            else
                limit.succeed();
            REQUIRE(limit.limit() >= 1);
            REQUIRE(limit.limit() <= maximum);
        }
    }
}

TEST_CASE("the concurrency stays at its maximum if it is not adaptive") {
    ConcurrencyLimit limit({.adaptive = false}, 10);
    limit.fail(limit_start, limit_start);
    CHECK(limit.limit() == 10);
}

TEST_CASE("nothing is hedged by default, nor before enough latencies are known") {
    Hedging off({});
    Hedging on({.enabled = true});
    for (std::size_t i = 0; i < Hedging::min_known; ++i) {
        CHECK_FALSE(off.begin());
        CHECK_FALSE(on.begin());
        off.succeed(10ms);
        on.succeed(10ms);
    }
    CHECK_FALSE(off.begin());
    CHECK(on.begin() == 10ms);
}

TEST_CASE("a request is hedged after the 95th percentile of the last hundred latencies") {
    Hedging hedging({.enabled = true, .min_delay = 1ms});
    for (int i = 0; i < 1000; ++i)
        hedging.succeed(1h);
    for (int i = 1; i <= 100; ++i)
        hedging.succeed(1ms * i);
    CHECK(hedging.begin() == 96ms);
    Hedging quick({.enabled = true, .min_delay = 500ms});
    for (int i = 1; i <= 100; ++i)
        quick.succeed(1ms * i);
    CHECK(quick.begin() == 500ms);
}

TEST_CASE("never more than the set share of requests is hedged") {
    const double share = GENERATE(0.01, 0.05, 0.5);
    Hedging hedging({.enabled = true, .max_share = share});
    for (std::size_t i = 0; i < Hedging::min_known; ++i)
        hedging.succeed(10ms);
    int requests = 0;
    int hedged = 0;
    std::mt19937 engine(9);
    for (int i = 0; i < 10'000; ++i) {
        REQUIRE(hedging.begin());
        ++requests;
        if (engine() % 3 != 0 && hedging.try_hedge())
            ++hedged;
        REQUIRE(hedged <= share * requests + 1e-6);
    }
    CHECK(hedged > 0.9 * share * requests);
}

TEST_CASE("all problems of a configuration of hedging are found and named") {
    CHECK(validate(HedgingConfig{}).empty());
    CHECK(validate(HedgingConfig{.quantile = 1, .max_share = 0, .min_delay = -1s}).size() == 3);
}
