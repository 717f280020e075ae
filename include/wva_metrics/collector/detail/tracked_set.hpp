// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/cache/cache_entry.hpp"
#include "wva_metrics/cache/cache_key.hpp"
#include "wva_metrics/collector/detail/target.hpp"

#include <boost/unordered/unordered_flat_set.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <deque>
#include <memory>
#include <utility>
#include <variant>
#include <vector>

namespace wva_metrics::detail {

/// What became of a request to track a target.
enum class Tracking {
    /// Background fetching begins.
    begun,
    /// As before: it was fetched in the background already, or was not to be.
    unchanged,
    /// Not fetched in the background, because the set is full.
    refused,
};

/// The variants and models that were requested from a collector: which of them to fetch in the
/// background, and when each was last requested.
///
/// The capacity applies to each kind. Availability is never tracked. Takes the time as a parameter
/// and fetches nothing. Not thread-safe: guarded by the collector's mutex.
///
/// The records lie side by side in the order in which they were added, and a round walks through them
/// in this order: so it goes through their targets and entries as they lie in memory, too. The index
/// stores no keys, because a target has its key.
class TrackedSet {
public:
    /// A target, and what is known about it.
    struct Record {
        TargetPtr target;
        /// The entry that was collected last; expires when the cache drops it.
        std::weak_ptr<const CacheEntry> latest{};
        /// The last request, except hits: a hit leaves its time on `latest`.
        TimePoint last_requested{};
        /// False: fetched only on request.
        bool in_background = true;
        /// The next free record, of one that is free. It has no target.
        Record* next_free = nullptr;

        /// `latest`, if it is about the target as it is now.
        CacheEntryPtr current_entry() const {
            CacheEntryPtr entry = latest.lock();
            return entry && is_entry_for(*entry, *target) ? entry : nullptr;
        }
    };

    explicit TrackedSet(std::size_t capacity) : capacity_(capacity) {}
    TrackedSet(const TrackedSet&) = delete;
    TrackedSet& operator=(const TrackedSet&) = delete;

    /// Adds or updates a target. A target that is fetched in the background stays so. A full set
    /// does not take new targets.
    Tracking track(TargetPtr target, bool in_background, TimePoint now) {
        const CacheKeyView key = key_of(*target);
        if (const auto found = index_.find(key); found != index_.end()) {
            Record& record = **found;
            const bool is_newly_tracked = in_background && !record.in_background;
            record.target = std::move(target);
            record.in_background = record.in_background || in_background;
            record.last_requested = std::max(record.last_requested, now);
            return is_newly_tracked ? Tracking::begun : Tracking::unchanged;
        }
        if (key.kind == EntryKind::availability)
            return Tracking::unchanged;
        if (size(key.kind) >= capacity_)
            return in_background ? Tracking::refused : Tracking::unchanged;
        add(std::move(target), in_background, now);
        ++size(key.kind);
        return in_background ? Tracking::begun : Tracking::unchanged;
    }

    /// Removes a target. Returns false if it was not in the set.
    bool untrack(const CacheKeyView& key) {
        const auto found = index_.find(key);
        if (found == index_.end())
            return false;
        remove(**found);
        return true;
    }

    /// Records a request that found no entry to leave its time on.
    void touch(const CacheKeyView& key, TimePoint now) {
        if (const auto found = index_.find(key); found != index_.end())
            (*found)->last_requested = std::max((*found)->last_requested, now);
    }

    /// Stores the latest entry (null = none), after saving the previous entry's last-used time.
    void set_latest(const CacheKeyView& key, const CacheEntryPtr& entry) {
        if (const auto found = index_.find(key); found != index_.end())
            set_latest(**found, entry);
    }

    /// Forgets the latest entry of all targets that satisfy the predicate.
    template <typename Predicate>
    void forget_latest_if(const Predicate& predicate) {
        for (Record& record : records_)
            if (record.target && predicate(*record.target))
                set_latest(record, nullptr);
    }

    /// Null if the key is not in the set; valid until the next change.
    const Record* find(const CacheKeyView& key) const {
        const auto found = index_.find(key);
        return found == index_.end() ? nullptr : *found;
    }

    /// Evicts what was not requested since `now - idle_after`; returns the keys. Zero evicts
    /// nothing.
    std::vector<CacheKey> evict_idle(TimePoint now, Duration idle_after) {
        std::vector<CacheKey> evicted;
        if (idle_after <= Duration::zero())
            return evicted;
        for (Record& record : records_) {
            // The second test is cheaper than the third, and usually decides.
            if (!record.target || now - record.last_requested <= idle_after ||
                now - last_requested(record) <= idle_after)
                continue;
            evicted.emplace_back(key_of(*record.target)); // First, because it may throw.
            remove(record);
        }
        return evicted;
    }

    /// Sets the capacity of each kind. Evicts the least recently requested records above it;
    /// returns their keys.
    std::vector<CacheKey> set_capacity(std::size_t capacity) {
        capacity_ = capacity;
        std::vector<CacheKey> evicted;
        for (const EntryKind kind : {EntryKind::optimizer, EntryKind::replica})
            if (size(kind) > capacity)
                append_oldest(kind, size(kind) - capacity, evicted);
        for (const CacheKey& key : evicted)
            untrack(key);
        return evicted;
    }

    /// Calls `f(record)` for each record.
    template <typename F>
    void for_each(F&& f) const {
        for (const Record& record : records_)
            if (record.target)
                f(record);
    }

    std::size_t size() const noexcept { return index_.size(); }
    /// How many of one kind are fetched in the background.
    std::size_t in_background(EntryKind kind) const {
        return static_cast<std::size_t>(
            std::count_if(records_.begin(), records_.end(), [kind](const Record& record) {
                return record.target && kind_of(*record.target) == kind && record.in_background;
            }));
    }

private:
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(const CacheKeyView& key) const noexcept {
            return CacheKeyHash()(key);
        }
        std::size_t operator()(const Record* record) const noexcept {
            return CacheKeyHash()(key_of(*record->target));
        }
    };
    struct Equal {
        using is_transparent = void;
        bool operator()(const Record* a, const Record* b) const noexcept { return a == b; }
        bool operator()(const CacheKeyView& key, const Record* record) const noexcept {
            return key == key_of(*record->target);
        }
        bool operator()(const Record* record, const CacheKeyView& key) const noexcept {
            return (*this)(key, record);
        }
    };

    /// If it throws, nothing is added.
    void add(TargetPtr target, bool in_background, TimePoint now) {
        if (!free_)
            free_ = &records_.emplace_back();
        Record& record = *free_;
        record.target = std::move(target);
        try {
            index_.insert(&record);
        } catch (...) {
            record.target.reset();
            throw;
        }
        free_ = record.next_free;
        record = {std::move(record.target), {}, now, in_background};
    }
    void remove(Record& record) noexcept {
        --size(kind_of(*record.target));
        index_.erase(&record);
        record = {.target = nullptr, .next_free = std::exchange(free_, &record)};
    }

    static void set_latest(Record& record, const CacheEntryPtr& entry) {
        last_requested(record);
        record.latest = entry;
    }

    /// Includes hits. They take no lock, so they do not reach this set; they leave their time on
    /// the entry.
    static TimePoint last_requested(Record& record) {
        if (const CacheEntryPtr entry = record.latest.lock())
            record.last_requested = std::max(record.last_requested, entry->last_used());
        return record.last_requested;
    }

    /// Appends the keys of the `count` least recently requested records of one kind.
    void append_oldest(EntryKind kind, std::size_t count, std::vector<CacheKey>& keys) {
        std::vector<std::pair<TimePoint, const Target*>> by_time;
        for (Record& record : records_)
            if (record.target && kind_of(*record.target) == kind)
                by_time.emplace_back(last_requested(record), record.target.get());
        const auto end = by_time.begin() + static_cast<std::ptrdiff_t>(count);
        std::nth_element(by_time.begin(), end, by_time.end());
        for (auto it = by_time.begin(); it != end; ++it)
            keys.emplace_back(key_of(*it->second));
    }

    std::size_t& size(EntryKind kind) noexcept { return sizes_[static_cast<std::size_t>(kind)]; }

    /// With free ones in between. Their addresses do not change.
    std::deque<Record> records_;
    Record* free_ = nullptr;
    boost::unordered_flat_set<Record*, Hash, Equal> index_;
    /// Records of each kind.
    std::array<std::size_t, std::variant_size_v<Target>> sizes_{};
    std::size_t capacity_;
};

} // namespace wva_metrics::detail
