// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/cache/cache_entry.hpp"
#include "wva_metrics/cache/cache_key.hpp"
#include "wva_metrics/cache/cache_limits.hpp"
#include "wva_metrics/cache/cache_stats.hpp"
#include "wva_metrics/cache/detail/lru_table.hpp"
#include "wva_metrics/cache/key_prefix.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics {

/// Keeps answers in memory: exact LRU within a bound on entries and a bound on bytes, exact TTL by
/// the time passed in.
///
/// Thread-safe, with one mutex that is held for a bounded number of steps: never while an entry is
/// read or destroyed, and never across a whole scan. For many threads take `ShardedCache`.
///
/// A look-up within the TTL (`CacheEntry::is_fresh`) counts as a hit, past it as a stale hit, and
/// past `CacheEntry::keep_until` as an expiration and a miss. Look-ups allocate nothing.
class MemoryCache {
public:
    /// A bound of 0 keeps nothing.
    explicit MemoryCache(CacheLimits limits = {}) : limits_(limits) {}
    MemoryCache(const MemoryCache&) = delete;
    MemoryCache& operator=(const MemoryCache&) = delete;

    /// Calls `visitor(const CacheEntry&)` and returns true where the key has an entry; it becomes
    /// the most recently used.
    ///
    /// No lock is held meanwhile: the visitor may take its time, and may call this cache again.
    template <typename Visitor>
    bool visit(const CacheKeyView& key, TimePoint now, Visitor&& visitor) {
        const CacheEntryPtr entry = find(key, now);
        if (!entry)
            return false;
        std::forward<Visitor>(visitor)(*entry);
        return true;
    }

    /// The entry, shared, or null; it becomes the most recently used.
    CacheEntryPtr find(const CacheKeyView& key, TimePoint now) {
        CacheEntryPtr dropped;
        const std::lock_guard lock(mutex_);
        Slot* const slot = table_.find(key);
        if (!slot) {
            ++stats_.misses;
            return nullptr;
        }
        if (slot->entry->is_expired(now)) {
            dropped = take(*slot);
            ++stats_.expirations;
            ++stats_.misses;
            return nullptr;
        }
        ++(slot->entry->is_fresh(now) ? stats_.hits : stats_.stale_hits);
        table_.make_newest(*slot);
        return slot->entry;
    }

    /// Keeps an entry as the most recently used and evicts the least recently used ones until the
    /// bounds hold.
    ///
    /// One that alone is larger than the bound on bytes is not kept, and neither is what its key
    /// had before; that counts as an insertion and an eviction. A null entry changes nothing.
    void insert_or_assign(const CacheKeyView& key, CacheEntryPtr entry) {
        if (!entry)
            return;
        const std::size_t bytes = entry->bytes();
        std::vector<CacheEntryPtr> dropped;
        const std::lock_guard lock(mutex_);
        Slot* const slot = table_.find(key);
        if (bytes > limits_.max_bytes) {
            if (slot)
                drop(*slot, dropped);
            ++stats_.insertions;
            ++stats_.evictions;
            return;
        }
        if (slot) {
            stats_.bytes -= slot->entry->bytes();
            // The old one leaves with the parameter, which outlives the lock.
            slot->entry.swap(entry);
            table_.make_newest(*slot);
        } else {
            table_.insert(key, std::move(entry));
        }
        stats_.bytes += bytes;
        ++stats_.insertions;
        while (table_.size() > limits_.max_entries || stats_.bytes > limits_.max_bytes) {
            drop(*table_.oldest(), dropped);
            ++stats_.evictions;
        }
    }

    /// Whether there was one.
    bool erase(const CacheKeyView& key) {
        CacheEntryPtr dropped;
        const std::lock_guard lock(mutex_);
        Slot* const slot = table_.find(key);
        if (!slot)
            return false;
        dropped = take(*slot);
        ++stats_.invalidations;
        return true;
    }

    /// Removes every entry whose key, as text, begins with `prefix` (`replica:llm/`, also
    /// `replica:llm/meta-`), and says how many. What other threads insert meanwhile may be removed
    /// or stay.
    std::size_t erase_prefix(std::string_view prefix) {
        return erase_if(&CacheStats::invalidations,
                        [prefix](const Slot& slot) { return starts_with(*slot.key, prefix); });
    }

    /// Removes every entry that nobody can be served any more, and says how many.
    std::size_t erase_expired(TimePoint now) {
        return erase_if(&CacheStats::expirations,
                        [now](const Slot& slot) { return slot.entry->is_expired(now); });
    }

    /// Removes everything. The counters go on; what was removed counts as invalidated.
    void clear() {
        detail::LruTable dropped;
        const std::lock_guard lock(mutex_);
        dropped.swap(table_);
        stats_.invalidations += dropped.size();
        stats_.bytes = 0;
    }

    /// Other bounds from now on; what is too much for them is evicted, the least recently used
    /// first, in steps that are short for those who wait for the lock. Of several calls at once the
    /// last to end decides.
    void set_limits(CacheLimits limits) {
        constexpr std::size_t evictions_per_step = 256;
        for (bool fits = false; !fits;) {
            std::vector<CacheEntryPtr> dropped;
            const std::lock_guard lock(mutex_);
            const auto exceeds = [&] {
                return table_.size() > limits.max_entries || stats_.bytes > limits.max_bytes;
            };
            while (exceeds() && dropped.size() < evictions_per_step) {
                drop(*table_.oldest(), dropped);
                ++stats_.evictions;
            }
            fits = !exceeds();
            // What is there still fits until the last step, so that an insertion in between need
            // not evict the rest all alone.
            limits_.max_entries = std::max(limits.max_entries, table_.size());
            limits_.max_bytes = std::max(limits.max_bytes, stats_.bytes);
        }
    }

    /// Entries stored, those included that have expired and were not met since.
    std::size_t size() const {
        const std::lock_guard lock(mutex_);
        return table_.size();
    }

    /// All counters at one moment.
    CacheStats stats() const {
        const std::lock_guard lock(mutex_);
        CacheStats stats = stats_;
        stats.entries = table_.size();
        return stats;
    }

private:
    using Slot = detail::LruTable::Slot;

    CacheEntryPtr take(Slot& slot) noexcept {
        stats_.bytes -= slot.entry->bytes();
        return table_.take(slot);
    }

    /// Takes the entry out; it is destroyed with `dropped`, when the lock is released.
    void drop(Slot& slot, std::vector<CacheEntryPtr>& dropped) {
        dropped.emplace_back();
        dropped.back() = take(slot);
    }

    std::size_t slot_count() const {
        const std::lock_guard lock(mutex_);
        return table_.slot_count();
    }

    /// Removes what `matches` of all that is there now, in steps that are short for those who wait
    /// for the lock.
    template <typename Predicate>
    std::size_t erase_if(std::uint64_t CacheStats::*counter, const Predicate& matches) {
        constexpr std::size_t slots_per_step = 256;
        const std::size_t end = slot_count();
        std::size_t erased = 0;
        for (std::size_t begin = 0; begin < end; begin += slots_per_step) {
            std::vector<CacheEntryPtr> dropped;
            const std::lock_guard lock(mutex_);
            const std::size_t step_end =
                std::min({begin + slots_per_step, end, table_.slot_count()});
            for (std::size_t number = begin; number < step_end; ++number) {
                Slot& slot = table_.slot(number);
                if (!slot.entry || !matches(slot))
                    continue;
                drop(slot, dropped);
                ++(stats_.*counter);
                ++erased;
            }
        }
        return erased;
    }

    mutable std::mutex mutex_;
    CacheLimits limits_;
    detail::LruTable table_;
    /// `entries` is filled in when asked for.
    CacheStats stats_;
};

} // namespace wva_metrics
