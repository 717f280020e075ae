// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/cache/cache_entry.hpp"
#include "wva_metrics/cache/cache_key.hpp"
#include "wva_metrics/cache/detail/hashed_key.hpp"
#include "wva_metrics/cache/detail/heap_bytes.hpp"

#include <boost/unordered/unordered_flat_set.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace wva_metrics::detail {

/// Entries by key, in the order of their last use. It has no clock, no bound and no lock; those
/// belong to its owner.
///
/// The entries are in slots and do not move while they are stored, except by `shrink`.
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

    /// Memory of an entry in the table, its slot and its key included.
    static std::size_t bytes(const CacheKeyView& key, const CacheEntry& entry) noexcept {
        // A deque fills most of its blocks, and the index takes 9 bytes for each of its places, of
        // which it uses about two thirds.
        constexpr std::size_t slot_bytes = sizeof(Slot) + sizeof(Slot) / 4 + 14;
        return slot_bytes + text_bytes(key.namespace_name) + text_bytes(key.name) + entry.bytes();
    }
    static std::size_t bytes(const Slot& slot) noexcept { return bytes(*slot.key, *slot.entry); }

    /// The slot of a key (`CacheKeyView` or `HashedKey`), or null. Does not change the order.
    template <typename Key>
    Slot* find(const Key& key) const {
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

    /// Slots, used and free.
    std::size_t slot_count() const noexcept { return slots_.size(); }

    /// A visit of all slots in short steps, between which the owner's lock may be released. Every
    /// entry that is stored during the whole scan is visited.
    class Scan {
    public:
        /// Calls `visit(slot)` for the entries of the next slots; `visit` may take the entry. Returns
        /// true if there are more slots.
        template <typename Visit>
        bool step(LruTable& table, const Visit& visit) {
            constexpr std::size_t slots_per_step = 256;
            if (next_ == 0 || layout_ != table.layout_) { // Begins, or begins again.
                next_ = 0;
                end_ = table.slots_.size();
                layout_ = table.layout_;
            }
            end_ = std::min(end_, table.slots_.size());
            for (const std::size_t stop = std::min(next_ + slots_per_step, end_); next_ < stop;
                 ++next_)
                if (Slot& slot = table.slots_[next_]; slot.entry)
                    visit(slot);
            return next_ < end_;
        }

    private:
        std::size_t next_ = 0;
        std::size_t end_ = 0;
        std::uint64_t layout_ = 0;
    };

    /// Gives up free slots, if nearly all are free and few entries have to be moved: moves the
    /// entries into a new table, and what is left of this one to `emptied`. If it throws, nothing has
    /// changed.
    void shrink(LruTable& emptied) {
        constexpr std::size_t few = 1024;
        if (size() > few || slots_.size() <= 8 * std::max(size(), few / 8))
            return;
        LruTable packed;
        for (Slot* slot = oldest_; slot != nullptr; slot = slot->newer)
            packed.insert(*slot->key, slot->entry);
        packed.layout_ = layout_ + 1;
        swap(packed);
        emptied.swap(packed);
    }
    void swap(LruTable& other) noexcept {
        slots_.swap(other.slots_);
        index_.swap(other.index_);
        std::swap(newest_, other.newest_);
        std::swap(oldest_, other.oldest_);
        std::swap(free_, other.free_);
        std::swap(layout_, other.layout_);
    }

private:
    struct SlotHash {
        using is_transparent = void;
        std::size_t operator()(const CacheKeyView& key) const noexcept {
            return CacheKeyHash{}(key);
        }
        std::size_t operator()(const HashedKey& key) const noexcept { return key.hash(); }
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
            return (*this)(key, slot);
        }
        bool operator()(const HashedKey& key, const Slot* slot) const noexcept {
            return (*this)(key.key(), slot);
        }
        bool operator()(const Slot* slot, const HashedKey& key) const noexcept {
            return (*this)(key.key(), slot);
        }
    };

    static std::size_t text_bytes(std::string_view text) noexcept {
        return text.size() > std::string().capacity() ? heap_bytes(text.size() + 1) : 0;
    }

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
    /// Changes when the entries have moved to other slots.
    std::uint64_t layout_ = 0;
};

} // namespace wva_metrics::detail
