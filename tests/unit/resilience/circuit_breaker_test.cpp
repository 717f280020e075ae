// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/resilience/circuit_breaker.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <deque>
#include <optional>
#include <random>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::resilience;
using namespace std::chrono_literals;
using State = CircuitBreaker::State;

namespace {

const TimePoint breaker_start{1h};

/// One request at a time, on a clock of its own.
struct BreakerDriver {
    /// False if the request was refused.
    bool request(bool works) {
        const auto period = breaker.admit(now);
        if (!period)
            return false;
        if (works)
            breaker.succeed(*period);
        else
            breaker.fail(*period, now, "HTTP 503");
        return true;
    }
    void open() {
        while (breaker.state() == State::closed)
            REQUIRE(request(false));
    }

    CircuitBreaker breaker{CircuitBreakerConfig{}};
    TimePoint now = breaker_start;
};

} // namespace

TEST_CASE("a breaker opens after five failures in a row, and says since when and why") {
    BreakerDriver driver;
    for (int i = 0; i < 4; ++i)
        CHECK(driver.request(false));
    CHECK(driver.request(true));
    for (int i = 0; i < 4; ++i)
        CHECK(driver.request(false));
    CHECK(driver.breaker.state() == State::closed);
    driver.now += 1s;
    CHECK(driver.request(false));
    CHECK(driver.breaker.state() == State::open);
    CHECK(driver.breaker.open_since() == breaker_start + 1s);
    CHECK(driver.breaker.retry_at() == breaker_start + 6s);
    CHECK(driver.breaker.reason() == "5 failures in a row, the last one: HTTP 503");
    CHECK_FALSE(driver.request(true));
}

TEST_CASE("a breaker opens if half of the last requests failed, though never many in a row") {
    BreakerDriver driver;
    for (int i = 0; i < 9; ++i) {
        CHECK(driver.request(false));
        CHECK(driver.request(true));
    }
    CHECK(driver.request(false));
    CHECK(driver.breaker.state() == State::open);
    CHECK(driver.breaker.reason() == "10 failures in the last 20 requests, the last one: HTTP 503");
}

TEST_CASE("failures that are longer ago than the window do not count") {
    BreakerDriver driver;
    for (int i = 0; i < 1000; ++i) {
        CHECK(driver.request(i % 20 < 4 ? false : i % 2 == 0));
        if (driver.breaker.state() != State::closed)
            break;
    }
    CHECK(driver.breaker.state() == State::open);
    BreakerDriver calm;
    for (int i = 0; i < 1000; ++i)
        CHECK(calm.request(i % 3 != 0));
    CHECK(calm.breaker.state() == State::closed);
}

TEST_CASE(
    "one probe is sent after the pause, which doubles with each failed probe up to a minute") {
    BreakerDriver driver;
    driver.open();
    for (const Duration pause : {5s, 10s, 20s, 40s, 60s, 60s, 60s}) {
        driver.now += pause - 1ns;
        CHECK_FALSE(driver.request(true));
        driver.now += 1ns;
        CHECK_FALSE(driver.breaker.is_refusing(driver.now));
        const auto probe = driver.breaker.admit(driver.now);
        REQUIRE(probe);
        CHECK(driver.breaker.state() == State::half_open);
        CHECK(driver.breaker.is_refusing(driver.now));
        CHECK_FALSE(driver.breaker.admit(driver.now));
        driver.breaker.fail(*probe, driver.now, "refused");
        CHECK(driver.breaker.state() == State::open);
    }
    CHECK(driver.breaker.open_since() == breaker_start);
    CHECK(driver.breaker.reason() == "5 failures in a row, the last one: refused");
}

TEST_CASE("a breaker closes after three successes, and the next pause is short again") {
    BreakerDriver driver;
    driver.open();
    driver.now += 5s;
    CHECK(driver.request(false));
    driver.now += 10s;
    CHECK(driver.request(true));
    CHECK(driver.request(true));
    CHECK(driver.breaker.state() == State::half_open);
    CHECK(driver.request(true));
    CHECK(driver.breaker.state() == State::closed);
    // What failed before it opened is forgotten.
    for (int i = 0; i < 4; ++i)
        CHECK(driver.request(false));
    CHECK(driver.breaker.state() == State::closed);
    CHECK(driver.request(false));
    CHECK(driver.breaker.retry_at() == driver.now + 5s);
}

TEST_CASE("a failure after the first success of a half-open breaker opens it again") {
    BreakerDriver driver;
    driver.open();
    driver.now += 5s;
    CHECK(driver.request(true));
    CHECK(driver.request(false));
    CHECK(driver.breaker.state() == State::open);
    CHECK(driver.breaker.retry_at() == driver.now + 10s);
}

TEST_CASE("a probe whose caller leaves makes room for another one") {
    BreakerDriver driver;
    driver.open();
    driver.now += 5s;
    const auto probe = driver.breaker.admit(driver.now);
    REQUIRE(probe);
    CHECK_FALSE(driver.breaker.admit(driver.now));
    driver.breaker.abandon(*probe);
    CHECK(driver.breaker.state() == State::half_open);
    CHECK(driver.request(true));
}

TEST_CASE("what was sent before a change of the breaker's state does not count after it") {
    BreakerDriver driver;
    std::vector<CircuitBreaker::Period> slow;
    for (int i = 0; i < 20; ++i)
        slow.push_back(*driver.breaker.admit(driver.now));
    driver.open();
    const TimePoint retry_at = driver.breaker.retry_at();
    driver.now += 1s;
    driver.breaker.fail(slow[0], driver.now, "late");
    driver.breaker.succeed(slow[1]);
    CHECK(driver.breaker.retry_at() == retry_at);
    driver.now += 4s;
    const auto probe = driver.breaker.admit(driver.now);
    REQUIRE(probe);
    for (std::size_t i = 2; i < 12; ++i)
        driver.breaker.succeed(slow[i]);
    driver.breaker.abandon(slow[12]);
    CHECK(driver.breaker.is_refusing(driver.now));
    driver.breaker.fail(slow[13], driver.now, "late");
    CHECK(driver.breaker.state() == State::half_open);
}

TEST_CASE("a breaker that is off never opens") {
    CircuitBreaker breaker({.enabled = false});
    for (int i = 0; i < 100; ++i) {
        const auto period = breaker.admit(breaker_start);
        REQUIRE(period);
        breaker.fail(*period, breaker_start, "HTTP 503");
    }
    CHECK(breaker.state() == State::closed);
}

TEST_CASE("a breaker does what a plain model of it does, for random events") {
    std::mt19937 engine(3);
    for (int round = 0; round < 300; ++round) {
        const CircuitBreakerConfig config{
            .consecutive_failures = std::uniform_int_distribution<std::size_t>(1, 8)(engine),
            .window = std::uniform_int_distribution<std::size_t>(1, 64)(engine),
            .failure_rate = std::uniform_real_distribution<double>(0.05, 1)(engine),
            .first_pause = 5s,
            .max_pause = 60s,
            .successes_to_close = std::uniform_int_distribution<std::size_t>(1, 5)(engine)};
        CircuitBreaker breaker(config);
        std::deque<bool> outcomes;
        std::optional<TimePoint> retry_at;
        Duration pause{};
        std::size_t successes = 0;
        TimePoint now = breaker_start;
        const double failing = std::uniform_real_distribution<double>()(engine);
        for (int i = 0; i < 200; ++i) {
            now += std::uniform_int_distribution(0, 10)(engine) * 1s;
            const auto period = breaker.admit(now);
            REQUIRE(period.has_value() == (!retry_at || now >= *retry_at));
            if (!period)
                continue;
            const bool fails = std::uniform_real_distribution<double>()(engine) < failing;
            if (fails)
                breaker.fail(*period, now, "");
            else
                breaker.succeed(*period);
            if (retry_at && fails) {
                pause = std::min<Duration>(2 * pause, 60s);
                retry_at = now + pause;
                successes = 0;
            } else if (retry_at) {
                if (++successes == config.successes_to_close) {
                    retry_at.reset();
                    outcomes.clear();
                }
            } else {
                outcomes.push_front(fails);
                outcomes.resize(std::min(outcomes.size(), config.window));
                const auto first_success = std::find(outcomes.begin(), outcomes.end(), false);
                const auto in_row = static_cast<std::size_t>(first_success - outcomes.begin());
                const auto all = std::count(outcomes.begin(), outcomes.end(), true);
                const bool by_row = config.window >= config.consecutive_failures &&
                                    in_row >= config.consecutive_failures;
                const bool by_rate = static_cast<double>(all) >=
                                     config.failure_rate * static_cast<double>(config.window);
                if (fails && (by_row || by_rate)) {
                    pause = 5s;
                    retry_at = now + pause;
                    successes = 0;
                }
            }
            REQUIRE((breaker.state() == State::closed) == !retry_at.has_value());
        }
    }
}
