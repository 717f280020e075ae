// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/reading.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace wva_metrics::resilience {

/// How often, and after which wait, a failed request is sent again. Check it with `validate`.
struct RetryConfig {
    /// Attempts in all; 1 = a request is never sent again. From Google's "Site Reliability
    /// Engineering", chapter 22; gRPC allows 5 at most.
    std::size_t attempts = 3;
    /// The longest wait before the second attempt. It doubles with each further one. The wait itself
    /// is random, from zero to this ("full jitter", AWS Architecture Blog).
    Duration first_backoff = std::chrono::milliseconds(100);
    /// The longest wait before any attempt, unless the server asks for a longer one.
    Duration max_backoff = std::chrono::seconds(2);
    /// An attempt that would have less time than this before its caller's deadline is not begun. A
    /// small query takes 1 to 10 ms in a cluster.
    Duration min_time = std::chrono::milliseconds(50);
};

/// The problems of a configuration, one sentence each; empty if it is valid.
inline std::vector<std::string> validate(const RetryConfig& config) {
    std::vector<std::string> problems;
    const auto require = [&](bool holds, const char* sentence) {
        if (!holds)
            problems.emplace_back(sentence);
    };
    require(config.attempts >= 1 && config.attempts <= 10,
            "attempts must be from 1 (no retry) to 10");
    require(config.first_backoff > Duration::zero(), "first_backoff must be positive");
    require(config.max_backoff >= config.first_backoff &&
                config.max_backoff <= std::chrono::hours(1),
            "max_backoff must not be below first_backoff, and must be at most an hour");
    require(config.min_time >= Duration::zero() && config.min_time <= std::chrono::hours(1),
            "min_time must not be negative, and must be at most an hour");
    return problems;
}

/// Whether an answer with this HTTP status may be different next time, and sending the request again
/// is safe for the server: 408, 425, 429, 502, 503, 504. A 500 or 501 has the same cause next time;
/// any other 4xx means the question.
constexpr bool is_retryable_status(int http_status) noexcept {
    switch (http_status) {
    case 408:
    case 425:
    case 429:
    case 502:
    case 503:
    case 504:
        return true;
    default:
        return false;
    }
}

/// The wait before the next attempt: random, from zero to the bound, which doubles with each attempt.
///
/// `attempts`: those made so far, at least 1. `random`: in [0, 1).
inline Duration full_jitter_backoff(const RetryConfig& config, std::size_t attempts,
                                    double random) {
    Duration longest = config.first_backoff;
    for (std::size_t i = 1; i < attempts && longest < config.max_backoff; ++i)
        longest = longest < config.max_backoff / 2 ? longest * 2 : config.max_backoff;
    longest = std::min(longest, config.max_backoff);
    return std::chrono::duration_cast<Duration>(longest * random);
}

/// The time of the next attempt; nothing if there must be none, because all have been made or the
/// next one could not end before the deadline.
///
/// `not_before`: the earliest time that the server allows. The random wait is added to it, so that
/// not all callers come back at that moment.
inline std::optional<TimePoint> next_attempt(const RetryConfig& config, std::size_t attempts,
                                             TimePoint not_before, double random, TimePoint now,
                                             TimePoint deadline) {
    if (attempts >= config.attempts)
        return std::nullopt;
    const TimePoint start = std::max(now, not_before);
    const Duration needed = full_jitter_backoff(config, attempts, random) + config.min_time;
    if (start >= deadline || deadline - start < needed)
        return std::nullopt;
    return start + needed - config.min_time;
}

} // namespace wva_metrics::resilience
