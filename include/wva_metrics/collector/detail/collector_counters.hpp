// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/collector_stats.hpp"

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace wva_metrics::detail {

/// The counters of `CollectorStats` while they are counted. Thread-safe.
struct CollectorCounters {
    using Counter = std::atomic<std::uint64_t>;

    /// Entries that the cache counted as hits and that could not be served: kept for a failing
    /// backend only, or an answer to another target.
    Counter unusable_hits{0};
    Counter unusable_stale_hits{0};
    Counter joined{0};
    Counter negative_hits{0};
    Counter served_stale_on_error{0};
    Counter targets{0};
    Counter failed_targets{0};
    Counter batches{0};
    Counter discarded{0};
    Counter background_rounds{0};
    Counter observer_failures{0};

    static void add(Counter& counter, std::uint64_t by = 1) noexcept {
        counter.fetch_add(by, std::memory_order_relaxed);
    }

    /// `cache` is what the cache itself counted; what could not be served becomes a miss.
    CollectorStats read(CacheStats cache) const noexcept {
        CollectorStats stats;
        const std::uint64_t hits = unusable_hits.load(std::memory_order_relaxed);
        const std::uint64_t stale_hits = unusable_stale_hits.load(std::memory_order_relaxed);
        stats.cache = cache;
        stats.cache.hits -= std::min(hits, cache.hits);
        stats.cache.stale_hits -= std::min(stale_hits, cache.stale_hits);
        stats.cache.misses += std::min(hits, cache.hits) + std::min(stale_hits, cache.stale_hits);
        stats.joined = joined.load(std::memory_order_relaxed);
        stats.negative_hits = negative_hits.load(std::memory_order_relaxed);
        stats.served_stale_on_error = served_stale_on_error.load(std::memory_order_relaxed);
        stats.targets = targets.load(std::memory_order_relaxed);
        stats.failed_targets = failed_targets.load(std::memory_order_relaxed);
        stats.batches = batches.load(std::memory_order_relaxed);
        stats.discarded = discarded.load(std::memory_order_relaxed);
        stats.background_rounds = background_rounds.load(std::memory_order_relaxed);
        stats.observer_failures = observer_failures.load(std::memory_order_relaxed);
        return stats;
    }
};

} // namespace wva_metrics::detail
