// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/cache/attribution_budget.hpp"
#include "wva_metrics/cache/cache_entry.hpp"
#include "wva_metrics/cache/cache_key.hpp"
#include "wva_metrics/cache/cache_limits.hpp"
#include "wva_metrics/cache/cache_stats.hpp"
#include "wva_metrics/cache/detail/hashed_key.hpp"
#include "wva_metrics/cache/detail/lru_table.hpp"
#include "wva_metrics/cache/key_prefix.hpp"
#include "wva_metrics/detail/checked_config.hpp"
#include "wva_metrics/error.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <new>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics {

/// A cache with exact LRU eviction, bounded by entries and by bytes, and with exact TTL by the time
/// passed in.
///
/// A look-up within the TTL (`CacheEntry::is_fresh`) counts as a hit, after it as a stale hit, and
/// after `CacheEntry::keep_until` as an expiration and a miss. Look-ups allocate nothing.
///
/// **Threads:** safe. One mutex, which is held for a bounded number of steps: never while an entry
/// is read or destroyed, and never during a whole scan, except when the table grows. For many threads
/// see `ShardedCache`.
class MemoryCache {
public:
    /// Throws `ResultError` with `Errc::invalid_config` and all problems that `validate(limits)`
    /// finds.
    explicit MemoryCache(CacheLimits limits = {})
        : limits_(detail::checked(limits, "memory cache")) {
        attributions_->set_room(limits_.max_bytes, 0);
    }

    /// As the constructor, for programs that do not catch exceptions. The cache cannot be moved out
    /// of the result.
    ///
    /// **Parameters:**
    /// - `limits`: the bounds.
    ///
    /// **Errors:** `invalid_config`: what the constructor throws.
    ///
    /// **Threads:** any thread.
    static Result<MemoryCache> make(CacheLimits limits = {}) {
        return detail::make_result<MemoryCache>(limits);
    }
    MemoryCache(const MemoryCache&) = delete;
    MemoryCache& operator=(const MemoryCache&) = delete;

    using Cell = detail::HashedKey; ///< A key that was hashed already. It keeps no entry.
    /// The cell of a key.
    std::shared_ptr<Cell> cell(const CacheKeyView& key) { return std::make_shared<Cell>(key); }

    /// If the key (a `CacheKeyView`, or its cell) has an entry, calls `visitor(const CacheEntry&)`,
    /// makes the entry the most recently used, and returns true. No lock is held meanwhile: the
    /// visitor may be slow, and may call this cache.
    template <typename Key, typename Visitor>
    bool visit(const Key& key, TimePoint now, Visitor&& visitor) {
        const CacheEntryPtr entry = find(key, now);
        if (!entry)
            return false;
        std::forward<Visitor>(visitor)(*entry);
        return true;
    }

    ///@{
    /// Returns the entry, shared, or null. The entry becomes the most recently used.
    CacheEntryPtr find(const CacheKeyView& key, TimePoint now) { return find_slot(key, now); }
    CacheEntryPtr find(const Cell& cell, TimePoint now) { return find_slot(cell, now); }
    ///@}

    /// Stores an entry as the most recently used, and evicts the least recently used ones until the
    /// bounds hold.
    ///
    /// An entry that alone is larger than the bound on bytes is not stored, and the previous entry
    /// of its key is removed; this counts as an insertion and an eviction. A null entry is ignored.
    void insert_or_assign(const CacheKeyView& key, CacheEntryPtr entry) {
        if (!entry)
            return;
        const std::size_t bytes = detail::LruTable::bytes(key, *entry);
        std::vector<CacheEntryPtr> dropped;
        const std::lock_guard lock(mutex_);
        const BudgetUpdate update(*this);
        Slot* const slot = table_.find(key);
        if (bytes > limits_.max_bytes) {
            if (slot)
                drop(*slot, dropped);
            ++stats_.insertions;
            ++stats_.evictions;
            return;
        }
        if (slot) {
            stats_.bytes -= detail::LruTable::bytes(*slot);
            // The old entry is destroyed with the parameter, which outlives the lock.
            slot->entry.swap(entry);
            table_.make_newest(*slot);
        } else {
            table_.insert(key, std::move(entry));
        }
        stats_.bytes += bytes;
        ++stats_.insertions;
        // Attributions may leave less room than an entry that is alone needs.
        while (exceeds(limits_) && table_.size() > std::min<std::size_t>(limits_.max_entries, 1)) {
            drop(*table_.oldest(), dropped);
            ++stats_.evictions;
        }
    }

    /// Removes the entry of a key. Returns false if there was none.
    bool erase(const CacheKeyView& key) {
        CacheEntryPtr dropped;
        const std::lock_guard lock(mutex_);
        Slot* const slot = table_.find(key);
        if (!slot)
            return false;
        const BudgetUpdate update(*this);
        dropped = take(*slot);
        ++stats_.invalidations;
        return true;
    }

    /// Removes every entry whose key, as text, begins with `prefix`, such as `replica:llm/meta-`;
    /// returns their number. Entries that other threads insert meanwhile may be removed or not.
    std::size_t erase_prefix(std::string_view prefix) {
        return erase_if(&CacheStats::invalidations,
                        [prefix](const Slot& slot) { return starts_with(*slot.key, prefix); });
    }

    /// As `erase_prefix`, but removes only the entries for which `matches(const CacheEntry&)` is true.
    /// It is called with the cache's mutex held, and must not call the cache.
    template <typename Matches>
    std::size_t erase_prefix_if(std::string_view prefix, const Matches& matches) {
        return erase_if(&CacheStats::invalidations, [&](const Slot& slot) {
            return starts_with(*slot.key, prefix) && matches(*slot.entry);
        });
    }

    /// Removes every expired entry (`CacheEntry::is_expired`); returns their number.
    std::size_t erase_expired(TimePoint now) {
        return erase_if(&CacheStats::expirations,
                        [now](const Slot& slot) { return slot.entry->is_expired(now); });
    }

    /// Removes all entries, which count as invalidated. The counters are kept.
    void clear() {
        detail::LruTable dropped;
        const std::lock_guard lock(mutex_);
        dropped.swap(table_);
        stats_.invalidations += dropped.size();
        stats_.bytes = 0;
        const BudgetUpdate update(*this);
    }

    /// Applies new limits, evicting the least recently used entries in small batches, so that other
    /// threads do not wait long for the lock. With concurrent calls, the last to finish wins. Throws
    /// `ResultError` for limits that the constructor refuses, and changes nothing then.
    void set_limits(CacheLimits limits) {
        limits = detail::checked(limits, "memory cache");
        constexpr std::size_t evictions_per_step = 256;
        for (bool fits = false; !fits;) {
            std::vector<CacheEntryPtr> dropped;
            const std::lock_guard lock(mutex_);
            const BudgetUpdate update(*this);
            while (exceeds(limits) && dropped.size() < evictions_per_step) {
                drop(*table_.oldest(), dropped);
                ++stats_.evictions;
            }
            fits = !exceeds(limits);
            // Until the last step the limits admit all that is stored, so that an insertion in
            // between does not have to evict the rest at once.
            const std::size_t stored = stats_.bytes + attributions_->used();
            limits_ = fits ? limits
                           : CacheLimits(std::max(limits.max_entries, table_.size()),
                                         std::max(limits.max_bytes, stored));
        }
        shrink_table();
    }

    /// Number of stored entries, including expired ones that were not looked up since.
    std::size_t size() const {
        const std::lock_guard lock(mutex_);
        return table_.size();
    }

    /// All counters, at one moment.
    CacheStats stats() const {
        const std::lock_guard lock(mutex_);
        CacheStats stats = stats_;
        stats.entries = table_.size();
        stats.bytes += attributions_->used();
        return stats;
    }

    /// Bounds the attributions of the entries that are inserted.
    std::shared_ptr<AttributionBudget> attribution_budget(const CacheKeyView&) const {
        return attributions_;
    }

private:
    using Slot = detail::LruTable::Slot;

    /// At the end of a change, tells the attributions how much room is left.
    struct BudgetUpdate {
        explicit BudgetUpdate(MemoryCache& changed) noexcept : cache(changed) {}
        BudgetUpdate(const BudgetUpdate&) = delete;
        BudgetUpdate& operator=(const BudgetUpdate&) = delete;
        ~BudgetUpdate() {
            cache.attributions_->set_room(cache.limits_.max_bytes, cache.stats_.bytes);
        }

        MemoryCache& cache;
    };

    template <typename Key>
    CacheEntryPtr find_slot(const Key& key, TimePoint now) {
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

    bool exceeds(const CacheLimits& limits) const noexcept {
        return table_.size() > limits.max_entries ||
               stats_.bytes > attributions_->bytes_for_entries(limits.max_bytes);
    }

    CacheEntryPtr take(Slot& slot) noexcept {
        stats_.bytes -= detail::LruTable::bytes(slot);
        return table_.take(slot);
    }

    /// Moves the entry to `dropped`, which destroys it after the lock is released.
    void drop(Slot& slot, std::vector<CacheEntryPtr>& dropped) {
        dropped.emplace_back();
        dropped.back() = take(slot);
    }

    /// After many entries were removed. If there is no memory for a smaller table, this one stays.
    void shrink_table() noexcept {
        try {
            detail::LruTable emptied;
            const std::lock_guard lock(mutex_);
            table_.shrink(emptied);
        } catch (const std::bad_alloc&) {
        }
    }

    /// Removes the entries that match, in short steps, so that other threads do not wait long for
    /// the lock. Visits every entry that is stored when it begins.
    template <typename Predicate>
    std::size_t erase_if(std::uint64_t CacheStats::*counter, const Predicate& matches) {
        std::size_t erased = 0;
        detail::LruTable::Scan scan;
        for (bool has_more = true; has_more;) {
            std::vector<CacheEntryPtr> dropped;
            const std::lock_guard lock(mutex_);
            const BudgetUpdate update(*this);
            has_more = scan.step(table_, [&](Slot& slot) {
                if (!matches(slot))
                    return;
                drop(slot, dropped);
                ++(stats_.*counter);
                ++erased;
            });
        }
        shrink_table();
        return erased;
    }

    mutable std::mutex mutex_;
    CacheLimits limits_;
    detail::LruTable table_;
    const std::shared_ptr<AttributionBudget> attributions_ = std::make_shared<AttributionBudget>();
    /// `entries` is filled in by `stats()`, and the memory of the attributions is added.
    CacheStats stats_;
};

} // namespace wva_metrics
