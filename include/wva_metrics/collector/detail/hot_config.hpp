// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/cache/cache_entry.hpp"
#include "wva_metrics/collector/detail/negative_verdict.hpp"
#include "wva_metrics/config.hpp"
#include "wva_metrics/detail/saturating_add.hpp"

#include <boost/config.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>

namespace wva_metrics::detail {

/// What a cached entry may be served as.
enum class Usability {
    /// A hit.
    fresh,
    /// Past its TTL: a hit too, while it is revalidated in the background.
    stale,
    /// Past the `stale_while_revalidate` window: served only if the backend fails.
    on_error,
    /// Too old, or a negative verdict past its TTL.
    none,
};

/// The part of the configuration that a hit reads, as atomics, so that a hit takes no lock.
///
/// Not atomic as a group: a reader may see a mix of old and new values, each valid on its own. It is
/// one cache line, which nothing else is on that is written as calls go on.
class alignas(64) HotConfig {
public:
    explicit HotConfig(const CacheConfig& config) { store(config); }

    void store(const CacheConfig& config) noexcept {
        const FreshnessThresholds& thresholds = config.freshness_thresholds;
        cache_enabled_.store(config.enabled, relaxed);
        stale_while_revalidate_.store(config.stale_while_revalidate, relaxed);
        stale_if_error_.store(config.stale_if_error, relaxed);
        partial_ttl_.store(config.partial_ttl, relaxed);
        optimizer_metrics_.store(thresholds.optimizer_metrics, relaxed);
        replica_metrics_.store(thresholds.replica_metrics, relaxed);
        unavailable_.store(thresholds.unavailable, relaxed);
        const Duration shortest = std::min({config.ttl, thresholds.optimizer_metrics,
                                            thresholds.replica_metrics, thresholds.unavailable});
        coarse_clock_ok_.store(shortest >= std::chrono::seconds(1), relaxed);
    }

    bool is_cache_enabled() const noexcept { return cache_enabled_.load(relaxed); }

    /// Decides whether an entry is a hit, a stale hit or neither. Stale answers are decided only
    /// here.
    Usability usability_of(const CacheEntry& entry, TimePoint now) const noexcept {
        if (entry.is_fresh(now))
            return Usability::fresh;
        if (is_negative_verdict(entry))
            return Usability::none;
        if (now <= saturating_add(entry.fresh_until(), stale_while_revalidate_.load(relaxed)))
            return Usability::stale;
        if (now <= saturating_add(entry.fresh_until(), stale_if_error_.load(relaxed)))
            return Usability::on_error;
        return Usability::none;
    }

    /// As `CacheConfig::partial_ttl`.
    Duration partial_ttl() const noexcept { return partial_ttl_.load(relaxed); }

    /// True if an error of some milliseconds does not matter, because all configured ages are at
    /// least a second.
    bool coarse_clock_ok() const noexcept { return coarse_clock_ok_.load(relaxed); }

    BOOST_FORCEINLINE FreshnessThresholds freshness_thresholds() const noexcept {
        return {optimizer_metrics_.load(relaxed), replica_metrics_.load(relaxed),
                unavailable_.load(relaxed)};
    }

private:
    static constexpr std::memory_order relaxed = std::memory_order_relaxed;

    std::atomic<bool> cache_enabled_{};
    std::atomic<bool> coarse_clock_ok_{};
    std::atomic<Duration> stale_while_revalidate_{};
    std::atomic<Duration> stale_if_error_{};
    std::atomic<Duration> partial_ttl_{};
    std::atomic<Duration> optimizer_metrics_{};
    std::atomic<Duration> replica_metrics_{};
    std::atomic<Duration> unavailable_{};
};

} // namespace wva_metrics::detail
