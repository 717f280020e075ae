// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/reading.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

namespace wva_metrics::resilience {

/// How the number of requests in flight follows what the endpoint bears. Check it with `validate`.
struct ConcurrencyConfig {
    /// False: always the maximum.
    bool adaptive = true;
    /// The limit after a failure, as a share of the limit before it. TCP's congestion control has the
    /// same.
    double decrease = 0.5;
};

/// The problems of a configuration, one sentence each; empty if it is valid.
inline std::vector<std::string> validate(const ConcurrencyConfig& config) {
    std::vector<std::string> problems;
    if (!(config.decrease > 0 && config.decrease < 1))
        problems.emplace_back("decrease must be between 0 and 1");
    return problems;
}

/// A limit on the requests in flight to one endpoint, from 1 to a maximum: additive increase,
/// multiplicative decrease, as in TCP. Starts at the maximum. Not thread-safe.
class ConcurrencyLimit {
public:
    /// `maximum`: at least 1.
    ConcurrencyLimit(const ConcurrencyConfig& config, std::size_t maximum)
        : config_(config), maximum_(static_cast<double>(maximum)), limit_(maximum_) {}

    /// A request succeeded: one more after as many successes as the limit is now.
    void succeed() noexcept { limit_ = std::min(maximum_, limit_ + 1 / limit_); }

    /// A request failed that began at `started`. Requests that were in flight at the last decrease do
    /// not count: they all met the same trouble.
    void fail(TimePoint started, TimePoint now) noexcept {
        if (!config_.adaptive || (has_decreased_ && started <= decreased_at_))
            return;
        limit_ = std::max(1.0, limit_ * config_.decrease);
        decreased_at_ = now;
        has_decreased_ = true;
    }

    /// How many requests may be in flight.
    std::size_t limit() const noexcept { return static_cast<std::size_t>(limit_); }

private:
    ConcurrencyConfig config_;
    double maximum_;
    double limit_;
    TimePoint decreased_at_{};
    bool has_decreased_ = false;
};

} // namespace wva_metrics::resilience
