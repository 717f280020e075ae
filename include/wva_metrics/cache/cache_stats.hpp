// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace wva_metrics {

/// Counters of a cache since it was made, and its size now. Each is exact; together they may be
/// torn by a moment when other threads are at work.
struct CacheStats {
    /// Look-ups that found an entry within its TTL.
    std::uint64_t hits = 0;
    /// Look-ups that found an entry past its TTL but not expired.
    std::uint64_t stale_hits = 0;
    /// Look-ups that found nothing, or only an expired entry.
    std::uint64_t misses = 0;
    /// Entries stored, new ones and replacements.
    std::uint64_t insertions = 0;
    /// Entries removed because there was no room.
    std::uint64_t evictions = 0;
    /// Entries removed because they were too old.
    std::uint64_t expirations = 0;
    /// Entries removed because somebody asked for it: by key, by prefix, or all.
    std::uint64_t invalidations = 0;

    /// Entries held now.
    std::size_t entries = 0;
    /// Their estimated memory.
    std::size_t bytes = 0;

    /// Hits, stale hits and misses.
    std::uint64_t lookups() const noexcept { return hits + stale_hits + misses; }
    /// hits / lookups; a stale hit is no hit. 0 where nothing was looked up.
    double hit_rate() const noexcept {
        const std::uint64_t total = lookups();
        return total == 0 ? 0.0 : static_cast<double>(hits) / static_cast<double>(total);
    }

    /// Adds up several caches, or the shards of one.
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
