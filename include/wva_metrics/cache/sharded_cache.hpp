// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/cache/memory_cache.hpp"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <deque>
#include <limits>
#include <string_view>
#include <utility>

namespace wva_metrics {

/// Keeps answers in memory for many threads: several `MemoryCache`s, each with its own lock, chosen
/// by the key's hash.
///
/// Every shard has an equal share of both bounds, rounded up, so that all together keep no less
/// than was asked for (and at most one entry and one byte per shard more). Eviction is per shard:
/// what goes is the least recently used entry of a shard, not of the whole; and an entry that alone
/// is larger than a shard's share of the bytes is not kept.
class ShardedCache {
public:
    /// Enough for the cores of a usual machine.
    static constexpr std::size_t default_shards = 16;

    /// `shards` is rounded up to a power of two, and is at least 1 and at most 4096.
    explicit ShardedCache(CacheLimits limits = {}, std::size_t shards = default_shards)
        : shard_bits_(static_cast<int>(
              std::bit_width(std::clamp<std::size_t>(shards, 1, max_shards) - 1))) {
        const std::size_t count = std::size_t{1} << shard_bits_;
        for (std::size_t i = 0; i < count; ++i)
            shards_.emplace_back(share(limits, count));
    }
    ShardedCache(const ShardedCache&) = delete;
    ShardedCache& operator=(const ShardedCache&) = delete;

    /// As `MemoryCache::visit`.
    template <typename Visitor>
    bool visit(const CacheKeyView& key, TimePoint now, Visitor&& visitor) {
        return shard(key).visit(key, now, std::forward<Visitor>(visitor));
    }

    /// As `MemoryCache::find`.
    CacheEntryPtr find(const CacheKeyView& key, TimePoint now) { return shard(key).find(key, now); }

    /// As `MemoryCache::insert_or_assign`, within the bounds of the key's shard.
    void insert_or_assign(const CacheKeyView& key, CacheEntryPtr entry) {
        shard(key).insert_or_assign(key, std::move(entry));
    }

    /// As `MemoryCache::erase`.
    bool erase(const CacheKeyView& key) { return shard(key).erase(key); }

    /// One shard after the other.
    std::size_t erase_prefix(std::string_view prefix) {
        std::size_t erased = 0;
        for (Shard& shard : shards_)
            erased += shard.cache.erase_prefix(prefix);
        return erased;
    }

    /// One shard after the other.
    std::size_t erase_expired(TimePoint now) {
        std::size_t erased = 0;
        for (Shard& shard : shards_)
            erased += shard.cache.erase_expired(now);
        return erased;
    }

    /// One shard after the other.
    void clear() {
        for (Shard& shard : shards_)
            shard.cache.clear();
    }

    /// As `MemoryCache::set_limits`, one shard after the other.
    void set_limits(CacheLimits limits) {
        for (Shard& shard : shards_)
            shard.cache.set_limits(share(limits, shards_.size()));
    }

    /// The sum over all shards, each read at its own moment.
    std::size_t size() const {
        std::size_t entries = 0;
        for (const Shard& shard : shards_)
            entries += shard.cache.size();
        return entries;
    }

    /// The sums over all shards, each read at its own moment.
    CacheStats stats() const {
        CacheStats sum;
        for (const Shard& shard : shards_)
            sum += shard.cache.stats();
        return sum;
    }

    /// After rounding.
    std::size_t shard_count() const noexcept { return shards_.size(); }

private:
    static constexpr std::size_t max_shards = 4096;

    static CacheLimits share(const CacheLimits& limits, std::size_t count) noexcept {
        const auto part = [count](std::size_t bound) {
            return bound / count + (bound % count == 0 ? 0 : 1);
        };
        return {part(limits.max_entries), part(limits.max_bytes)};
    }

    /// On cache lines of its own, so that threads at work in different shards do not slow each
    /// other down.
    struct alignas(64) Shard {
        explicit Shard(CacheLimits limits) : cache(limits) {}
        MemoryCache cache;
    };

    /// By the hash's highest bits. The table inside mixes the hash again before it uses any, so
    /// that the keys of one shard still spread over all its buckets.
    MemoryCache& shard(const CacheKeyView& key) noexcept {
        if (shard_bits_ == 0)
            return shards_.front().cache;
        const std::size_t hash = CacheKeyHash{}(key);
        return shards_[hash >> (std::numeric_limits<std::size_t>::digits - shard_bits_)].cache;
    }

    /// A deque, because shards cannot be moved.
    std::deque<Shard> shards_;
    int shard_bits_;
};

} // namespace wva_metrics
