// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/reading.hpp"

#include <chrono>
#include <mutex>
#include <random>

namespace wva_metrics::detail {

/// Random numbers for jitter, so that many programs do not act at the same moment. Thread-safe.
class RandomSource {
public:
    /// A number in [0, 1).
    double next() {
        const std::lock_guard lock(mutex_);
        return std::uniform_real_distribution<double>(0, 1)(engine_);
    }

    /// A duration in [`least`, `most`).
    Duration between(Duration least, Duration most) {
        return least + std::chrono::duration_cast<Duration>((most - least) * next());
    }

private:
    std::mutex mutex_;
    std::minstd_rand engine_{std::random_device{}()};
};

} // namespace wva_metrics::detail
