// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/collector_stats.hpp"

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace wva_metrics::detail {

/// The live counters behind `CollectorStats`. Thread-safe.
struct CollectorCounters {
    using Counter = std::atomic<std::uint64_t>;

    /// Entries that the cache counted as hits but that could not be served: kept only for a failing
    /// backend, or the answer to another target.
    Counter unusable_hits{0};
    Counter unusable_stale_hits{0};
    /// Look-ups of the collector itself, which no caller asked for.
    Counter own_hits{0};
    Counter own_stale_hits{0};
    Counter own_misses{0};
    Counter coalesced{0};
    Counter negative_hits{0};
    Counter served_stale_on_error{0};
    Counter targets{0};
    Counter failed_targets{0};
    Counter batches{0};
    Counter discarded{0};
    Counter background_rounds{0};
    Counter tracking_refused{0};
    Counter refused_batches{0};
    Counter cache_failures{0};
    Counter skipped_rounds{0};
    Counter samples_ahead{0};
    Counter empty_answers{0};

    static void add(Counter& counter, std::uint64_t by = 1) noexcept {
        counter.fetch_add(by, std::memory_order_relaxed);
    }

    /// `cache` are the cache's own counts; its unusable hits are counted as misses, and the
    /// collector's own look-ups not at all.
    CollectorStats read(CacheStats cache) const noexcept {
        cache.hits -= std::min(read(own_hits), cache.hits);
        cache.stale_hits -= std::min(read(own_stale_hits), cache.stale_hits);
        cache.misses -= std::min(read(own_misses), cache.misses);
        CollectorStats stats;
        const std::uint64_t hits = std::min(read(unusable_hits), cache.hits);
        const std::uint64_t stale_hits = std::min(read(unusable_stale_hits), cache.stale_hits);
        stats.cache = cache;
        stats.cache.hits -= hits;
        stats.cache.stale_hits -= stale_hits;
        stats.cache.misses += hits + stale_hits;
        stats.coalesced = read(coalesced);
        stats.negative_hits = read(negative_hits);
        stats.served_stale_on_error = read(served_stale_on_error);
        stats.targets = read(targets);
        stats.failed_targets = read(failed_targets);
        stats.batches = read(batches);
        stats.discarded = read(discarded);
        stats.background_rounds = read(background_rounds);
        stats.tracking_refused = read(tracking_refused);
        stats.refused_batches = read(refused_batches);
        stats.cache_failures = read(cache_failures);
        stats.skipped_rounds = read(skipped_rounds);
        stats.samples_ahead = read(samples_ahead);
        stats.empty_answers = read(empty_answers);
        return stats;
    }

private:
    static std::uint64_t read(const Counter& counter) noexcept {
        return counter.load(std::memory_order_relaxed);
    }
};

} // namespace wva_metrics::detail
