// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/reading.hpp"
#include "wva_metrics/resilience/circuit_breaker.hpp"
#include "wva_metrics/resilience/concurrency_limit.hpp"
#include "wva_metrics/resilience/hedging.hpp"
#include "wva_metrics/resilience/protection_event.hpp"
#include "wva_metrics/resilience/retry_budget.hpp"
#include "wva_metrics/resilience/retry_policy.hpp"

#include <chrono>
#include <functional>
#include <string>
#include <vector>

namespace wva_metrics::resilience {

/// How an endpoint is protected from its callers, and the callers from an endpoint in trouble. Plain
/// values; use designated initializers and check with `validate`.
struct ProtectionConfig {
    /// How often a failed request is sent again.
    RetryConfig retry{};
    /// How many retries the endpoint bears from all callers together.
    RetryBudgetConfig retry_budget{};
    /// When the endpoint is left alone.
    CircuitBreakerConfig breaker{};
    /// How many requests may be in flight.
    ConcurrencyConfig concurrency{};
    /// Whether a slow request is sent a second time while the first is waiting. Off by default.
    HedgingConfig hedging{};
    /// The longest pause that a server may ask for by `Retry-After`. Nothing is sent during the
    /// pause; zero = the header is ignored.
    Duration max_retry_after = std::chrono::seconds(60);
    /// A request that its caller's deadline ended counts as a failure of the endpoint only if it had
    /// lasted this long. A shorter time says more about the caller.
    Duration slow_after = std::chrono::seconds(1);
    /// Called for each event; may be empty. It is called without a lock held, on the thread that
    /// noticed the event, possibly on several threads at once, and must not block. What it throws is
    /// dropped. It may be called until the last request has ended, also while its client is being
    /// destroyed, so it should own what it uses.
    std::function<void(const ProtectionEvent&)> on_event{};
};

/// All problems of a configuration, one sentence each; empty if it is valid.
inline std::vector<std::string> validate(const ProtectionConfig& config) {
    std::vector<std::string> problems;
    const auto add = [&](const char* member, const std::vector<std::string>& found) {
        for (const std::string& problem : found)
            problems.push_back(std::string(member) + "." + problem);
    };
    add("retry", validate(config.retry));
    add("retry_budget", validate(config.retry_budget));
    add("breaker", validate(config.breaker));
    add("concurrency", validate(config.concurrency));
    add("hedging", validate(config.hedging));
    const auto is_bounded = [](Duration value) {
        return value >= Duration::zero() && value <= std::chrono::hours(1);
    };
    if (!is_bounded(config.max_retry_after))
        problems.emplace_back("max_retry_after must not be negative, and must be at most an hour");
    if (!is_bounded(config.slow_after))
        problems.emplace_back("slow_after must not be negative, and must be at most an hour");
    return problems;
}

} // namespace wva_metrics::resilience
