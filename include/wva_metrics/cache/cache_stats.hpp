// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace wva_metrics {

/// Counters of a cache since it was constructed, and its current size.
///
/// Each value is exact. If other threads use the cache meanwhile, the values may be from slightly
/// different moments.
struct CacheStats {
    /// Look-ups that found an entry within its TTL.
    std::uint64_t hits = 0;
    /// Look-ups that found an entry past its TTL but not expired.
    std::uint64_t stale_hits = 0;
    /// Look-ups that found no entry, or only an expired one.
    std::uint64_t misses = 0;
    /// Entries stored, new ones and replacements.
    std::uint64_t insertions = 0;
    /// Entries removed, or not kept, because a bound was exceeded.
    std::uint64_t evictions = 0;
    /// Entries removed because they had expired.
    std::uint64_t expirations = 0;
    /// Entries removed on request: by key, by prefix, or all.
    std::uint64_t invalidations = 0;

    /// Current number of entries.
    std::size_t entries = 0;
    /// Estimated memory in bytes: of the entries, their keys and their attributions.
    std::size_t bytes = 0;

    /// Hits, stale hits and misses.
    std::uint64_t lookups() const noexcept { return hits + stale_hits + misses; }
    /// The part of all look-ups that were hits, 0..1; stale hits do not count. 0 without look-ups.
    double hit_rate() const noexcept {
        const std::uint64_t total = lookups();
        return total == 0 ? 0.0 : static_cast<double>(hits) / static_cast<double>(total);
    }

    /// Adds the counters and the size of another cache, for example of another shard.
    CacheStats& operator+=(const CacheStats& other) noexcept {
        hits += other.hits;
        stale_hits += other.stale_hits;
        misses += other.misses;
        insertions += other.insertions;
        evictions += other.evictions;
        expirations += other.expirations;
        invalidations += other.invalidations;
        entries += other.entries;
        bytes += other.bytes;
        return *this;
    }
};

} // namespace wva_metrics
