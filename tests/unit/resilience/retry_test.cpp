// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/resilience/retry_budget.hpp"
#include "wva_metrics/resilience/retry_policy.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <limits>
#include <random>

using namespace wva_metrics;
using namespace wva_metrics::resilience;
using namespace std::chrono_literals;

namespace {

const TimePoint retry_start{1h};

/// As near to 1 as a random number can be.
const double almost_one = std::nextafter(1.0, 0.0);

} // namespace

TEST_CASE("only answers that may be different next time are retried") {
    for (int status = 100; status < 600; ++status) {
        const bool expected = status == 408 || status == 425 || status == 429 || status == 502 ||
                              status == 503 || status == 504;
        CAPTURE(status);
        CHECK(is_retryable_status(status) == expected);
    }
}

TEST_CASE("the wait before a retry is random, and its bound doubles up to the maximum") {
    const RetryConfig config{.attempts = 10, .first_backoff = 100ms, .max_backoff = 2s};
    const Duration bounds[] = {100ms, 200ms, 400ms, 800ms, 1600ms, 2s, 2s, 2s};
    for (std::size_t i = 0; i < std::size(bounds); ++i) {
        CAPTURE(i);
        CHECK(full_jitter_backoff(config, i + 1, 0) == Duration::zero());
        CHECK(full_jitter_backoff(config, i + 1, 0.5) == bounds[i] / 2);
        CHECK(full_jitter_backoff(config, i + 1, almost_one) <= bounds[i]);
        CHECK(full_jitter_backoff(config, i + 1, almost_one) > bounds[i] - 1ms);
    }
}

TEST_CASE("no configuration and no number of attempts makes a wait overflow") {
    const RetryConfig config{.first_backoff = 1ns, .max_backoff = 1h};
    for (const std::size_t attempts : {std::size_t{1}, std::size_t{42}, std::size_t{1000},
                                       std::numeric_limits<std::size_t>::max()}) {
        const Duration wait = full_jitter_backoff(config, attempts, almost_one);
        CHECK(wait >= Duration::zero());
        CHECK(wait <= 1h);
    }
}

TEST_CASE("a retry is planned only within the attempts and the caller's deadline") {
    const RetryConfig config{.attempts = 3, .first_backoff = 100ms, .min_time = 50ms};
    const auto plan = [&](std::size_t attempts, TimePoint not_before, Duration left) {
        return next_attempt(config, attempts, not_before, 0.5, retry_start, retry_start + left);
    };
    const TimePoint any_time = TimePoint::min();
    CHECK(plan(1, any_time, 1s) == retry_start + 50ms);
    CHECK(plan(2, any_time, 1s) == retry_start + 100ms);
    CHECK_FALSE(plan(3, any_time, 1s));
    // It would have exactly the least time, and a little less.
    CHECK(plan(1, any_time, 100ms) == retry_start + 50ms);
    CHECK_FALSE(plan(1, any_time, 100ms - 1ns));
    CHECK_FALSE(plan(1, any_time, -1s));
    // The server asks for a pause; the random wait comes after it.
    CHECK(plan(1, retry_start + 500ms, 1s) == retry_start + 550ms);
    CHECK_FALSE(plan(1, retry_start + 1s, 1s));
    CHECK(next_attempt(config, 1, any_time, 0.5, retry_start, TimePoint::max()).has_value());
    CHECK_FALSE(next_attempt({.attempts = 1}, 1, any_time, 0, retry_start, TimePoint::max()));
}

TEST_CASE("every planned retry has the least time before its deadline") {
    std::mt19937 engine(1);
    const auto below = [&](int end) { return std::uniform_int_distribution(0, end - 1)(engine); };
    for (int i = 0; i < 20'000; ++i) {
        const RetryConfig config{.attempts = static_cast<std::size_t>(1 + below(5)),
                                 .first_backoff = 1ms * (1 + below(300)),
                                 .max_backoff = 1ms * (300 + below(3000)),
                                 .min_time = 1ms * below(200)};
        REQUIRE(validate(config).empty());
        const auto attempts = static_cast<std::size_t>(1 + below(6));
        const TimePoint not_before = retry_start + 1ms * (below(2000) - 1000);
        const TimePoint deadline = retry_start + 1ms * (below(4000) - 500);
        const double random = std::uniform_real_distribution<double>()(engine);
        const auto at = next_attempt(config, attempts, not_before, random, retry_start, deadline);
        if (!at)
            continue;
        CHECK(attempts < config.attempts);
        CHECK(*at >= std::max(retry_start, not_before));
        CHECK(*at <= std::max(retry_start, not_before) + config.max_backoff);
        CHECK(*at + config.min_time <= deadline);
    }
}

TEST_CASE("a full budget bears five retries, and then one for every ten successes") {
    RetryBudget budget({});
    for (int i = 0; i < 5; ++i)
        CHECK(budget.try_spend());
    CHECK_FALSE(budget.try_spend());
    CHECK(budget.tokens() == 5);
    int retries = 0;
    for (int i = 0; i < 1000; ++i) {
        budget.succeed();
        if (budget.try_spend())
            ++retries;
    }
    CHECK(retries >= 99);
    CHECK(retries <= 100);
}

TEST_CASE("retries never exceed the budget, whatever the order of events") {
    std::mt19937 engine(7);
    for (int round = 0; round < 200; ++round) {
        const RetryBudgetConfig config{
            .max_tokens = std::uniform_real_distribution<double>(2, 50)(engine),
            .tokens_per_success = std::uniform_real_distribution<double>(0, 1)(engine)};
        RetryBudget budget(config);
        const double success_share = std::uniform_real_distribution<double>()(engine);
        int successes = 0;
        int retries = 0;
        for (int i = 0; i < 500; ++i) {
            if (std::uniform_real_distribution<double>()(engine) < success_share) {
                budget.succeed();
                ++successes;
            } else if (budget.try_spend()) {
                ++retries;
            }
            // One more, because the last token is spent while a little more than half are left.
            REQUIRE(retries <= config.max_tokens / 2 + config.tokens_per_success * successes + 1);
            REQUIRE(budget.tokens() <= config.max_tokens);
            REQUIRE(budget.tokens() > config.max_tokens / 2 - 1);
        }
    }
}
