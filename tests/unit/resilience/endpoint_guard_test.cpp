// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/resilience/endpoint_guard.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::resilience;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using Kind = ProtectionEvent::Kind;
using State = CircuitBreaker::State;

namespace {

/// A guard that tells its events, on a clock of its own.
struct GuardDriver {
    explicit GuardDriver(ProtectionConfig config = {}, std::size_t max_concurrency = 10)
        : guard(with_events(std::move(config)), "http://server:1", max_concurrency) {}

    ProtectionConfig with_events(ProtectionConfig config) {
        config.on_event = [told = events](const ProtectionEvent& event) { told->push_back(event); };
        return config;
    }
    bool request(bool works, Duration pause = {}) {
        const auto pass = guard.admit(now);
        if (!pass)
            return false;
        if (works)
            guard.succeed(*pass, now);
        else
            guard.fail(*pass, now, "HTTP 503", pause);
        return true;
    }
    void open() {
        for (int i = 0; i < 5; ++i)
            REQUIRE(request(false));
    }
    /// Without those of the concurrency.
    std::vector<Kind> kinds() const {
        std::vector<Kind> kinds;
        for (const ProtectionEvent& event : *events)
            if (event.kind != Kind::limit_lowered && event.kind != Kind::limit_restored)
                kinds.push_back(event.kind);
        return kinds;
    }
    std::vector<std::string> reasons(Kind kind) const {
        std::vector<std::string> reasons;
        for (const ProtectionEvent& event : *events)
            if (event.kind == kind)
                reasons.push_back(event.reason);
        return reasons;
    }

    std::shared_ptr<std::vector<ProtectionEvent>> events =
        std::make_shared<std::vector<ProtectionEvent>>();
    EndpointGuard guard;
    /// 08:49:37 UTC when the clock of the driver begins.
    std::chrono::system_clock::time_point system_time() const {
        return std::chrono::system_clock::time_point(784'111'777s) + (now - TimePoint{1h});
    }
    TimePoint now{1h};
};

} // namespace

TEST_CASE("an open breaker refuses in words, and each change of it is told") {
    GuardDriver driver;
    driver.now += 1s;
    driver.open();
    driver.now += 1500ms;
    CHECK(driver.guard.is_refusing(driver.now));
    CHECK_FALSE(driver.request(true));
    CHECK(
        driver.guard.refuse(driver.now, driver.system_time()) ==
        "the circuit breaker has been open since 08:49:38 UTC after 5 failures in a row, the last "
        "one: HTTP 503; the next request is sent at 08:49:43 UTC");
    driver.now += 3500ms;
    CHECK_FALSE(driver.guard.is_refusing(driver.now));
    const auto probe = driver.guard.admit(driver.now);
    REQUIRE(probe);
    CHECK_FALSE(driver.guard.admit(driver.now));
    CHECK_FALSE(driver.guard.is_refusing(driver.now)); // Its outcome is worth waiting for,
    driver.now += 1s;
    CHECK_FALSE(driver.guard.is_refusing(driver.now));
    driver.now += 1ns; // but not if it takes long.
    CHECK(driver.guard.is_refusing(driver.now));
    CHECK_THAT(driver.guard.refuse(driver.now, driver.system_time()),
               ContainsSubstring("on its way"));
    driver.guard.succeed(*probe, driver.now);
    CHECK(driver.request(true));
    CHECK(driver.request(true));
    CHECK(driver.kinds() ==
          std::vector{Kind::breaker_opened, Kind::breaker_probing, Kind::breaker_closed});
    CHECK(driver.events->front().endpoint == "http://server:1");
    CHECK(driver.reasons(Kind::breaker_opened) ==
          std::vector<std::string>{"5 failures in a row, the last one: HTTP 503"});
    const ProtectionStats stats = driver.guard.stats();
    CHECK(stats.successes == 3);
    CHECK(stats.failures == 5);
    CHECK(stats.refused == 2);
    CHECK(stats.breaker_openings == 1);
    CHECK(stats.breaker == State::closed);
    CHECK_FALSE(stats.open_since);
    CHECK(stats.reason.empty());
}

TEST_CASE("nothing is sent during the pause that a server asks for") {
    GuardDriver driver;
    CHECK(driver.request(false, 30s));
    driver.now += 29s;
    CHECK_FALSE(driver.request(true));
    CHECK(driver.guard.refuse(driver.now, driver.system_time()) ==
          "the server has asked for a pause (HTTP 503); nothing is sent to it until 08:50:07 UTC");
    // A shorter pause does not end a longer one.
    driver.now += 1s;
    const auto first = driver.guard.admit(driver.now);
    const auto second = driver.guard.admit(driver.now);
    REQUIRE((first && second));
    driver.guard.fail(*first, driver.now, "HTTP 429", 10s);
    driver.guard.fail(*second, driver.now, "HTTP 429", 1s);
    driver.now += 10s - 1ns;
    CHECK(driver.guard.is_refusing(driver.now));
    driver.now += 1ns;
    CHECK(driver.request(true));
    CHECK_FALSE(driver.guard.is_refusing(driver.now));
    CHECK(driver.guard.stats().pauses == 2);
    CHECK_FALSE(driver.guard.stats().not_before);
    CHECK(driver.reasons(Kind::paused) ==
          std::vector<std::string>{"HTTP 503, Retry-After 30s", "HTTP 429, Retry-After 10s"});
}

TEST_CASE("no server can ask for a pause that is longer than the maximum") {
    GuardDriver driver({.max_retry_after = 20s});
    CHECK(driver.request(false, 24h));
    driver.now += 20s;
    CHECK(driver.request(true));
    GuardDriver deaf({.max_retry_after = 0s});
    CHECK(deaf.request(false, 24h));
    CHECK(deaf.request(true));
    CHECK(deaf.kinds().empty());
}

TEST_CASE("retries are planned within budget, pause and breaker") {
    GuardDriver driver({.breaker = {.enabled = false}});
    const TimePoint deadline = driver.now + 60s;
    for (int i = 0; i < 5; ++i) {
        CHECK(driver.request(false));
        CHECK(driver.guard.plan_retry(1, driver.now, deadline, 0.5) == driver.now + 50ms);
    }
    CHECK_FALSE(driver.guard.plan_retry(1, driver.now, deadline, 0.5));
    CHECK(driver.guard.stats().retries == 5);
    CHECK(driver.guard.stats().retries_denied == 1);
    CHECK(driver.kinds().back() == Kind::budget_exhausted);
    for (int i = 0; i < 11; ++i)
        CHECK(driver.request(true));
    // After the server's pause. A retry that does not fit into the deadline costs no token.
    CHECK(driver.request(false, 2s));
    CHECK_FALSE(driver.guard.plan_retry(1, driver.now, driver.now + 2s, 0.5));
    CHECK(driver.guard.plan_retry(1, driver.now, deadline, 0.5) == driver.now + 2050ms);
    CHECK_FALSE(driver.guard.plan_retry(3, driver.now, deadline, 0.5));
    CHECK(driver.guard.stats().retries_denied == 1);

    GuardDriver broken;
    broken.open();
    CHECK_FALSE(broken.guard.plan_retry(1, broken.now, deadline, 0.5));
    CHECK(broken.guard.stats().retry_tokens == 10);
}

TEST_CASE("the concurrency follows the outcomes, and is one while the breaker is half open") {
    GuardDriver driver;
    CHECK(driver.guard.limit() == 10);
    driver.now += 1s;
    CHECK(driver.request(false));
    CHECK(driver.guard.limit() == 5);
    for (int i = 0; i < 6; ++i)
        CHECK(driver.request(true));
    CHECK(driver.guard.limit() == 6);
    driver.open();
    driver.now += 5s;
    CHECK(driver.request(true));
    CHECK(driver.guard.limit() == 1);
    CHECK(driver.request(true));
    CHECK(driver.request(true));
    CHECK(driver.guard.limit() > 1);
    CHECK(driver.guard.stats().concurrency_limit == driver.guard.limit());
}

TEST_CASE("a concurrency that is lowered is told each time, and once that it is as before") {
    GuardDriver driver;
    for (int i = 0; i < 4; ++i) {
        driver.now += 1s;
        CHECK(driver.request(false));
    }
    const std::vector<std::string> lowered = driver.reasons(Kind::limit_lowered);
    REQUIRE(lowered.size() == 3);
    CHECK(lowered[0] == "at most 5 instead of 10");
    CHECK(lowered[2] == "at most 1 instead of 2");
    for (int i = 0; i < 200; ++i)
        CHECK(driver.request(true));
    CHECK(driver.reasons(Kind::limit_restored) == std::vector<std::string>{"at most 10"});
    CHECK(driver.reasons(Kind::limit_lowered).size() == 3);
}

TEST_CASE("requests are hedged within their share, the retry budget and a closed breaker") {
    GuardDriver off;
    CHECK_FALSE(off.guard.plan_hedge());

    GuardDriver driver({.hedging = {.enabled = true, .max_share = 0.5}});
    for (int i = 0; i < 100; ++i) {
        CHECK(driver.guard.plan_hedge().has_value() == (i >= 20));
        driver.guard.note_latency(100ms);
    }
    CHECK(driver.guard.plan_hedge() == 100ms);
    CHECK(driver.guard.try_hedge(driver.now, 100ms));
    CHECK_FALSE(driver.guard.try_hedge(driver.now, 100ms));
    CHECK(driver.guard.stats().retry_tokens == 9);
    CHECK(driver.reasons(Kind::hedging) == std::vector<std::string>{"no answer within 100ms"});

    // Four more, as for retries, until half of the budget is used up.
    int hedged = 1;
    for (int i = 0; i < 100; ++i) {
        driver.guard.plan_hedge();
        hedged += driver.guard.try_hedge(driver.now, 100ms) ? 1 : 0;
    }
    CHECK(hedged == 5);
    CHECK(driver.guard.stats().hedges == 5);

    GuardDriver broken({.hedging = {.enabled = true, .max_share = 0.5}});
    for (int i = 0; i < 10; ++i)
        broken.guard.plan_hedge();
    broken.open();
    CHECK_FALSE(broken.guard.try_hedge(broken.now, 1ms));
}

TEST_CASE("a caller who leaves a probe lets the next one through") {
    GuardDriver driver;
    driver.open();
    driver.now += 5s;
    const auto probe = driver.guard.admit(driver.now);
    REQUIRE(probe);
    driver.guard.abandon(*probe, driver.now);
    CHECK(driver.guard.admit(driver.now));
}

TEST_CASE("what a receiver of events throws harms nobody") {
    ProtectionConfig config;
    config.on_event = [](const ProtectionEvent&) { throw std::runtime_error("no"); };
    EndpointGuard guard(config, "", 1);
    for (int i = 0; i < 5; ++i)
        guard.fail(*guard.admit(TimePoint{1h}), TimePoint{1h}, "HTTP 503");
    CHECK(guard.stats().breaker == State::open);
}

TEST_CASE("a storm of failures costs an endpoint a bounded number of requests") {
    // A thousand callers per second, each of which tries as often as it may, for a minute.
    GuardDriver driver;
    std::mt19937 engine(1);
    std::uniform_real_distribution<double> random;
    int sent = 0;
    const TimePoint end = driver.now + 60s;
    for (; driver.now < end; driver.now += 1ms) {
        for (std::size_t attempts = 1; driver.request(false); ++attempts) {
            ++sent;
            if (!driver.guard.plan_retry(attempts, driver.now, driver.now + 10s, random(engine)))
                break;
        }
    }
    // Five until it opens, and probes after 5, 15, and 35 seconds.
    CHECK(sent == 8);
}

TEST_CASE("all problems of a protection are found and named") {
    CHECK(validate(ProtectionConfig{}).empty());
    ProtectionConfig config;
    config.retry = {.attempts = 0, .first_backoff = 0s, .max_backoff = -1s, .min_time = -1s};
    config.retry_budget = {.max_tokens = 1, .tokens_per_success = 2};
    config.breaker = {.consecutive_failures = 0,
                      .window = 65,
                      .failure_rate = 0,
                      .first_pause = 0s,
                      .max_pause = -1s,
                      .successes_to_close = 0};
    config.concurrency.decrease = 1;
    config.hedging = {.quantile = 1, .max_share = 0, .min_delay = -1s};
    config.max_retry_after = -1s;
    config.slow_after = -1s;
    const std::vector<std::string> problems = validate(config);
    CHECK(problems.size() == 18);
    const std::string names[] = {
        "retry.attempts",       "retry.first_backoff",     "retry.max_backoff",
        "retry.min_time",       "retry_budget.max_tokens", "retry_budget.tokens_per_success",
        "breaker.window",       "breaker.failure_rate",    "breaker.consecutive_failures",
        "breaker.first_pause",  "breaker.max_pause",       "breaker.successes_to_close",
        "concurrency.decrease", "max_retry_after",         "slow_after",
        "hedging.quantile",     "hedging.max_share",       "hedging.min_delay"};
    for (const std::string& name : names) {
        CAPTURE(name);
        CHECK(std::count_if(problems.begin(), problems.end(), [&](const std::string& problem) {
                  return problem.starts_with(name + " must");
              }) == 1);
    }
}
