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

/// How long answers are cached and when they are fetched again.
///
/// With the defaults a tracked entry is fetched every 15 s and never expires. An untracked entry is
/// a hit for its TTL of 30 s. Two windows begin at the end of the TTL: for 30 s the entry is still
/// served while it is revalidated, and for five minutes it is served if the backend fails.
struct CacheConfig {
    /// False: every call sends a request to the backend; concurrent calls for the same target share
    /// one.
    bool enabled = true;
    /// Time to live: an entry up to this age is a hit.
    Duration ttl = std::chrono::seconds(30);
    /// How often entries that can no longer be served are removed. 0 = never; `max_entries` and
    /// `max_bytes` still apply.
    Duration cleanup_interval = std::chrono::minutes(5);
    /// How often tracked variants and models are fetched in the background. 0 = off.
    Duration fetch_interval = std::chrono::seconds(15);
    /// Thresholds for the age of the oldest sample.
    FreshnessThresholds freshness_thresholds{};

    /// How long after its TTL an entry is still served while it is revalidated in the background.
    /// 0 = off.
    Duration stale_while_revalidate = std::chrono::seconds(30);
    /// How long after its TTL an entry is still served if the backend fails. 0 = off. The same time
    /// applies to a single reading that is missing from an answer: the previous one is served, with
    /// its age.
    Duration stale_if_error = std::chrono::minutes(5);
    /// How long a failure is remembered before the same request is sent again. Also the TTL of the
    /// answer that a model is not available, if it is shorter than `ttl`; neither stale window
    /// applies to that answer. 0 = off.
    Duration negative_ttl = std::chrono::seconds(2);
    /// TTL of a partial answer, and of an availability since which the model's replicas were not
    /// fetched.
    Duration partial_ttl = std::chrono::seconds(5);

    /// Maximum number of entries. A variant is one entry, a model is one, and its availability, if
    /// it is validated, another. The default holds all three for `max_tracked` of each. The cache
    /// chooses what to evict.
    std::size_t max_entries = 30'000;
    /// Maximum memory of all entries, in bytes, as estimated by `CacheEntry::bytes`. The default
    /// holds `max_entries` of `typical_entry_bytes`.
    std::size_t max_bytes = std::size_t{256} << 20;
};

/// The memory that a bound for many entries must allow for each: what a model with four pods needs.
/// A variant needs less, a model with more pods more.
inline constexpr std::size_t typical_entry_bytes = 2048;

/// Configuration of a collector. Plain values: use designated initializers, `validate` and
/// `warnings` (config_warnings.hpp).
struct CollectorConfig {
    /// How long answers are cached, and how many.
    CacheConfig cache{};
    /// Maximum time of a whole collection, retries included; after it the waiters get
    /// `Errc::timeout`.
    Duration call_timeout = std::chrono::seconds(10);
    /// True: a variant or model that is collected once is tracked from then on.
    bool track_on_collection = true;
    /// A tracked variant or model that is not requested for this time is untracked. 0 = never.
    Duration untrack_after = std::chrono::minutes(10);
    /// Maximum number of tracked variants, and of tracked models. One more is not tracked, which
    /// `track` returns and `events::TrackingRefused` says. All of them should fit into the cache:
    /// `warnings` says if they do not.
    std::size_t max_tracked = 10'000;
    /// Maximum number of handles that need no search; further ones search by name. 0 = none. They take
    /// memory of the cache: about 300 bytes each, together at most a quarter of `cache.max_bytes`. The
    /// default is one for each variant and model of `max_tracked`.
    std::size_t max_handles = 20'000;
    /// Maximum number of callers that wait for the backend at the same time; one more gets
    /// `Errc::unavailable`.
    std::size_t max_waiters = 100'000;
    /// Maximum number of calls of the backend that were given up after `call_timeout` and still run.
    /// A backend that ends when it is cancelled leaves none. At the bound, further fetches fail at
    /// once with `Errc::unavailable`, and last good values are served.
    std::size_t max_overdue_calls = 32;
};

/// Entries would expire before a background round completes that began this long after the one
/// before, so no two rounds are further apart.
inline Duration longest_fetch_interval(const CollectorConfig& config) noexcept {
    return std::max(config.cache.ttl - config.call_timeout, config.cache.ttl / 2);
}

/// Time between two background rounds, on average: the configured interval, or less if entries would otherwise
/// expire before the next round completes. 0 if background fetching is off.
inline Duration effective_fetch_interval(const CollectorConfig& config) noexcept {
    const CacheConfig& cache = config.cache;
    if (cache.fetch_interval <= Duration::zero())
        return Duration::zero();
    return std::min(cache.fetch_interval, longest_fetch_interval(config));
}

/// All problems of a configuration, one sentence each; empty if it is valid.
inline std::vector<std::string> validate(const CollectorConfig& config) {
    std::vector<std::string> problems;
    const auto require = [&](bool is_met, const char* sentence) {
        if (!is_met)
            problems.emplace_back(sentence);
    };
    const CacheConfig& cache = config.cache;
    constexpr Duration zero = Duration::zero();
    require(cache.ttl > zero,
            "cache.ttl must be positive; to disable caching set cache.enabled to false");
    require(cache.cleanup_interval >= zero,
            "cache.cleanup_interval must not be negative; 0 disables the cleanup");
    require(cache.fetch_interval >= zero,
            "cache.fetch_interval must not be negative; 0 disables background fetching");
    require(cache.stale_while_revalidate >= zero,
            "cache.stale_while_revalidate must not be negative");
    require(cache.stale_if_error >= zero, "cache.stale_if_error must not be negative");
    require(cache.negative_ttl >= zero, "cache.negative_ttl must not be negative");
    require(cache.partial_ttl > zero, "cache.partial_ttl must be positive");
    require(cache.max_entries > 0,
            "cache.max_entries must be positive; to disable caching set cache.enabled to false");
    require(cache.max_bytes > 0,
            "cache.max_bytes must be positive; to disable caching set cache.enabled to false");
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
    require(config.untrack_after >= zero, "untrack_after must not be negative; 0 disables it");
    require(config.max_tracked > 0, "max_tracked must be positive");
    require(config.max_waiters > 0, "max_waiters must be positive");
    require(config.max_overdue_calls > 0, "max_overdue_calls must be positive");
    return problems;
}

} // namespace wva_metrics
