// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/kubernetes/client_config.hpp"
#include "wva_metrics/reading.hpp"

#include <chrono>
#include <functional>
#include <utility>

namespace wva_metrics::kubernetes::detail {

/// How long to wait after a failure: twice as long after each further one, up to a bound, less a
/// random part of up to half. Not thread-safe.
class WatchBackoff {
public:
    /// `random` gives numbers from 0 to below 1.
    WatchBackoff(const ClientConfig& config, std::function<double()> random)
        : initial_(config.initial_backoff), max_(config.max_backoff), random_(std::move(random)) {}

    /// The wait after one more failure.
    Duration next() {
        const Duration longest = longest_ == Duration::zero() ? initial_ : longest_;
        longest_ = longest < max_ / 2 ? longest * 2 : max_;
        ++failures_;
        const auto taken_off = std::chrono::duration_cast<Duration>(longest * (random_() / 2));
        return longest - taken_off;
    }

    /// All is well again.
    void reset() noexcept {
        longest_ = Duration::zero();
        failures_ = 0;
    }

    /// Failures since `reset`.
    unsigned failures() const noexcept { return failures_; }

private:
    const Duration initial_;
    const Duration max_;
    const std::function<double()> random_;
    Duration longest_{};
    unsigned failures_ = 0;
};

} // namespace wva_metrics::kubernetes::detail
