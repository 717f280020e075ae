// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/freshness.hpp"
#include "wva_metrics/reading.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace wva_metrics {

/// How long answers are kept and how they are renewed.
///
/// With these defaults a tracked entry is renewed every 15 s and never expires; an untracked one is
/// fresh for 30 s, served while it is renewed for another 30 s, and kept for five minutes in case
/// the backend fails.
struct CacheConfig {
    /// Off: every call asks the backend. Concurrent equal questions are still asked once.
    bool enabled = true;
    /// Time to live: up to this age an entry is a hit.
    Duration ttl = std::chrono::seconds(30);
    /// How often entries that nobody can be served any more are removed. 0 = never; the bounds
    /// still hold.
    Duration cleanup_interval = std::chrono::minutes(5);
    /// How often tracked variants and models are fetched in the background. 0 = off.
    Duration fetch_interval = std::chrono::seconds(15);
    /// By the age of the oldest sample.
    FreshnessThresholds freshness_thresholds{};

    /// After its TTL an entry is still served for this long while it is renewed behind the caller.
    /// 0 = off.
    Duration stale_while_revalidate = std::chrono::seconds(30);
    /// After its TTL an entry is still served for this long when the backend fails. 0 = off. So is
    /// a single reading that is missing from an answer, with its age.
    Duration stale_if_error = std::chrono::minutes(5);
    /// A failure is remembered this long before the backend is asked the same again. 0 = off.
    Duration negative_ttl = std::chrono::seconds(2);
    /// TTL of an answer of which the backend could give only a part.
    Duration partial_ttl = std::chrono::seconds(5);

    /// Entries kept at most; a variant or a model is one. Which goes first, the cache decides.
    std::size_t max_entries = 10'000;
    /// Memory of all entries at most, in bytes, as estimated by `CacheEntry::bytes`.
    std::size_t max_bytes = std::size_t{64} << 20;
};

/// How a collector works. Plain values; use designated initializers and check with `validate`.
struct CollectorConfig {
    /// How long answers are kept, and how many.
    CacheConfig cache{};
    /// A whole collection, retries included, takes at most this long; then its waiters get
    /// `Errc::timeout`.
    Duration call_timeout = std::chrono::seconds(10);
    /// Whatever is collected is fetched in the background from then on.
    bool track_on_collection = true;
    /// A tracked variant or model that nobody has asked for in this time is untracked. 0 = never.
    Duration untrack_after = std::chrono::minutes(10);
    /// Tracked variants and models at most, each.
    std::size_t max_tracked = 10'000;
    /// Callers that wait for the backend at the same time at most; one more gets
    /// `Errc::too_costly`.
    std::size_t max_waiters = 100'000;
};

/// Time between two background rounds: the configured interval, or less where an entry would
/// otherwise expire before the next round's answer is there. 0 where background fetching is off.
inline Duration effective_fetch_interval(const CollectorConfig& config) noexcept {
    const CacheConfig& cache = config.cache;
    if (cache.fetch_interval <= Duration::zero())
        return Duration::zero();
    const Duration latest = cache.ttl - config.call_timeout;
    return std::min(cache.fetch_interval, std::max(latest, cache.ttl / 2));
}

/// Everything that is wrong with a configuration, one sentence each; empty where it is sound.
inline std::vector<std::string> validate(const CollectorConfig& config) {
    std::vector<std::string> problems;
    const auto require = [&](bool holds, const char* sentence) {
        if (!holds)
            problems.emplace_back(sentence);
    };
    const CacheConfig& cache = config.cache;
    constexpr Duration zero = Duration::zero();
    require(cache.ttl > zero,
            "cache.ttl must be positive; to switch caching off set cache.enabled to false");
    require(cache.cleanup_interval >= zero,
            "cache.cleanup_interval must not be negative; 0 switches the cleanup off");
    require(cache.fetch_interval >= zero,
            "cache.fetch_interval must not be negative; 0 switches background fetching off");
    require(cache.stale_while_revalidate >= zero,
            "cache.stale_while_revalidate must not be negative");
    require(cache.stale_if_error >= zero, "cache.stale_if_error must not be negative");
    require(cache.negative_ttl >= zero, "cache.negative_ttl must not be negative");
    require(cache.partial_ttl > zero, "cache.partial_ttl must be positive");
    require(cache.max_entries > 0,
            "cache.max_entries must be positive; to switch caching off set cache.enabled to false");
    require(cache.max_bytes > 0,
            "cache.max_bytes must be positive; to switch caching off set cache.enabled to false");
    const FreshnessThresholds& thresholds = cache.freshness_thresholds;
    require(thresholds.optimizer_metrics > zero,
            "cache.freshness_thresholds.optimizer_metrics must be positive");
    require(thresholds.replica_metrics > zero,
            "cache.freshness_thresholds.replica_metrics must be positive");
    require(thresholds.unavailable >= thresholds.optimizer_metrics &&
                thresholds.unavailable >= thresholds.replica_metrics,
            "cache.freshness_thresholds.unavailable must not be below the thresholds for fresh "
            "metrics");
    require(config.call_timeout > zero, "call_timeout must be positive");
    require(config.untrack_after >= zero,
            "untrack_after must not be negative; 0 keeps everything tracked");
    require(config.max_tracked > 0, "max_tracked must be positive");
    require(config.max_waiters > 0, "max_waiters must be positive");
    return problems;
}

} // namespace wva_metrics
