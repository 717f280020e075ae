// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/config.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>

namespace wva_metrics::detail {

/// What a hit reads of the configuration, which may be changed meanwhile: each value atomic, so
/// that a hit takes no lock for it.
///
/// While they are being stored a reader may see some of the old ones beside some of the new ones;
/// each of them was meant by somebody.
class HotConfig {
public:
    explicit HotConfig(const CacheConfig& config) { store(config); }

    void store(const CacheConfig& config) noexcept {
        const FreshnessThresholds& thresholds = config.freshness_thresholds;
        cache_enabled_.store(config.enabled, relaxed);
        stale_while_revalidate_.store(config.stale_while_revalidate, relaxed);
        stale_if_error_.store(config.stale_if_error, relaxed);
        optimizer_metrics_.store(thresholds.optimizer_metrics, relaxed);
        replica_metrics_.store(thresholds.replica_metrics, relaxed);
        unavailable_.store(thresholds.unavailable, relaxed);
        const Duration shortest = std::min({config.ttl, thresholds.optimizer_metrics,
                                            thresholds.replica_metrics, thresholds.unavailable});
        coarse_time_will_do_.store(shortest >= std::chrono::seconds(1), relaxed);
    }

    bool cache_enabled() const noexcept { return cache_enabled_.load(relaxed); }
    /// Whether some milliseconds change nothing: no age that matters is below a second.
    bool coarse_time_will_do() const noexcept { return coarse_time_will_do_.load(relaxed); }
    Duration stale_while_revalidate() const noexcept {
        return stale_while_revalidate_.load(relaxed);
    }
    Duration stale_if_error() const noexcept { return stale_if_error_.load(relaxed); }
    FreshnessThresholds freshness_thresholds() const noexcept {
        return {optimizer_metrics_.load(relaxed), replica_metrics_.load(relaxed),
                unavailable_.load(relaxed)};
    }

private:
    static constexpr std::memory_order relaxed = std::memory_order_relaxed;

    std::atomic<bool> cache_enabled_{};
    std::atomic<bool> coarse_time_will_do_{};
    std::atomic<Duration> stale_while_revalidate_{};
    std::atomic<Duration> stale_if_error_{};
    std::atomic<Duration> optimizer_metrics_{};
    std::atomic<Duration> replica_metrics_{};
    std::atomic<Duration> unavailable_{};
};

} // namespace wva_metrics::detail
