// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/cache/cache_entry.hpp"
#include "wva_metrics/cache/cache_key.hpp"

#include <boost/unordered/unordered_flat_set.hpp>

#include <cstddef>
#include <deque>
#include <optional>
#include <utility>

namespace wva_metrics::detail {

/// Entries by key, in the order of their last use. It has no clock, no bound and no lock; those
/// belong to its owner.
///
/// The entries are in numbered slots and do not move while they are stored. So a scan can visit the
/// slots in small steps, releasing the owner's lock in between; it visits every entry that is
/// stored during the whole scan.
class LruTable {
public:
    struct Slot {
        std::optional<CacheKey> key;
        /// Null: the slot is free.
        CacheEntryPtr entry;
        /// The link to the more recently used slot; in a free slot, to the next free one.
        Slot* newer = nullptr;
        Slot* older = nullptr;
    };

    LruTable() = default;
    LruTable(const LruTable&) = delete;
    LruTable& operator=(const LruTable&) = delete;

    std::size_t size() const noexcept { return index_.size(); }

    /// The slot of a key, or null. Does not change the order.
    Slot* find(const CacheKeyView& key) const {
        const auto found = index_.find(key);
        return found == index_.end() ? nullptr : *found;
    }

    /// Adds an entry as the most recently used. Its key must not be in the table yet. If it throws,
    /// nothing has changed.
    void insert(const CacheKeyView& key, CacheEntryPtr entry) {
        if (!free_)
            free_ = &slots_.emplace_back();
        Slot& slot = *free_;
        slot.key.emplace(key);
        index_.insert(&slot);
        free_ = slot.newer;
        slot.entry = std::move(entry);
        link_as_newest(slot);
    }

    /// Removes an entry and returns it, so that the caller can destroy it without a lock.
    CacheEntryPtr take(Slot& slot) noexcept {
        index_.erase(&slot);
        unlink(slot);
        slot.key.reset();
        slot.newer = std::exchange(free_, &slot);
        return std::move(slot.entry);
    }

    void make_newest(Slot& slot) noexcept {
        if (newest_ == &slot)
            return;
        unlink(slot);
        link_as_newest(slot);
    }

    /// The least recently used slot; null if the table is empty.
    Slot* oldest() const noexcept { return oldest_; }

    /// One more than the highest slot number in use.
    std::size_t slot_count() const noexcept { return slots_.size(); }
    Slot& slot(std::size_t number) noexcept { return slots_[number]; }

    void swap(LruTable& other) noexcept {
        slots_.swap(other.slots_);
        index_.swap(other.index_);
        std::swap(newest_, other.newest_);
        std::swap(oldest_, other.oldest_);
        std::swap(free_, other.free_);
    }

private:
    struct SlotHash {
        using is_transparent = void;
        std::size_t operator()(const CacheKeyView& key) const noexcept {
            return CacheKeyHash{}(key);
        }
        std::size_t operator()(const Slot* slot) const noexcept {
            return CacheKeyHash{}(*slot->key);
        }
    };
    struct SlotEqual {
        using is_transparent = void;
        bool operator()(const Slot* a, const Slot* b) const noexcept { return a == b; }
        bool operator()(const CacheKeyView& key, const Slot* slot) const noexcept {
            return CacheKeyView(*slot->key) == key;
        }
        bool operator()(const Slot* slot, const CacheKeyView& key) const noexcept {
            return CacheKeyView(*slot->key) == key;
        }
    };

    void link_as_newest(Slot& slot) noexcept {
        slot.newer = nullptr;
        slot.older = newest_;
        (newest_ ? newest_->newer : oldest_) = &slot;
        newest_ = &slot;
    }
    void unlink(Slot& slot) noexcept {
        (slot.newer ? slot.newer->older : newest_) = slot.older;
        (slot.older ? slot.older->newer : oldest_) = slot.newer;
    }

    /// A deque, because it grows without moving its elements.
    std::deque<Slot> slots_;
    boost::unordered_flat_set<Slot*, SlotHash, SlotEqual> index_;
    Slot* newest_ = nullptr;
    Slot* oldest_ = nullptr;
    Slot* free_ = nullptr;
};

} // namespace wva_metrics::detail
