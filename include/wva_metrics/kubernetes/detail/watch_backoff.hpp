// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/kubernetes/client_config.hpp"
#include "wva_metrics/reading.hpp"

#include <algorithm>
#include <chrono>
#include <functional>
#include <optional>
#include <utility>

namespace wva_metrics::kubernetes::detail {

/// Exponential back-off: the wait doubles with each failure, up to a limit. A random part, up to
/// half, is subtracted. Not thread-safe.
class WatchBackoff {
public:
    /// `random` returns numbers in [0, 1).
    WatchBackoff(const ClientConfig& config, std::function<double()> random)
        : initial_(config.initial_backoff), max_(config.max_backoff), random_(std::move(random)) {}

    /// The wait after one more failure. `requested`: what the server asks for, which is obeyed up to
    /// the limit.
    Duration next(std::optional<Duration> requested = std::nullopt) {
        const Duration longest = longest_ == Duration::zero() ? initial_ : longest_;
        longest_ = longest < max_ / 2 ? longest * 2 : max_;
        ++failures_;
        const auto jitter = std::chrono::duration_cast<Duration>(longest * (random_() / 2));
        return std::max(longest - jitter, std::min(requested.value_or(Duration::zero()), max_));
    }

    /// Starts again with the initial wait.
    void reset() noexcept {
        longest_ = Duration::zero();
        failures_ = 0;
    }

    /// Failures since the last `reset`.
    unsigned failures() const noexcept { return failures_; }

private:
    const Duration initial_;
    const Duration max_;
    const std::function<double()> random_;
    Duration longest_{};
    unsigned failures_ = 0;
};

} // namespace wva_metrics::kubernetes::detail
