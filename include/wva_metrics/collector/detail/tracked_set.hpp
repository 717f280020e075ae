// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/cache/cache_entry.hpp"
#include "wva_metrics/cache/cache_key.hpp"
#include "wva_metrics/collector/detail/target.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
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
class TrackedSet {
public:
    /// A target, and what is known about it.
    struct Record {
        TargetPtr target;
        /// False: fetched only on request.
        bool in_background = true;
        /// The last request, except hits: a hit leaves its time on `latest`.
        TimePoint last_requested{};
        /// The entry that was collected last; expires when the cache drops it.
        std::weak_ptr<const CacheEntry> latest;

        /// `latest`, if it is about the target as it is now.
        CacheEntryPtr current_entry() const {
            CacheEntryPtr entry = latest.lock();
            return entry && is_entry_for(*entry, *target) ? entry : nullptr;
        }
    };

    explicit TrackedSet(std::size_t capacity) : capacity_(capacity) {}

    /// Adds or updates a target. A target that is fetched in the background stays so. A full set
    /// does not take new targets.
    Tracking track(TargetPtr target, bool in_background, TimePoint now) {
        const CacheKeyView key = key_of(*target);
        if (const auto found = records_.find(key); found != records_.end()) {
            Record& record = found->second;
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
        records_.emplace(CacheKey(key), Record{std::move(target), in_background, now, {}});
        ++size(key.kind);
        return in_background ? Tracking::begun : Tracking::unchanged;
    }

    /// Removes a target. Returns false if it was not in the set.
    bool untrack(const CacheKeyView& key) {
        const auto found = records_.find(key);
        if (found == records_.end())
            return false;
        --size(key.kind);
        records_.erase(found);
        return true;
    }

    /// Records a request that found no entry to leave its time on.
    void touch(const CacheKeyView& key, TimePoint now) {
        if (const auto found = records_.find(key); found != records_.end())
            found->second.last_requested = std::max(found->second.last_requested, now);
    }

    /// Stores the latest entry (null = none), after saving the previous entry's last-used time.
    void set_latest(const CacheKeyView& key, const CacheEntryPtr& entry) {
        if (const auto found = records_.find(key); found != records_.end())
            set_latest(found->second, entry);
    }

    /// Forgets the latest entry of all targets that satisfy the predicate.
    template <typename Predicate>
    void forget_latest_if(const Predicate& predicate) {
        for (auto& [key, record] : records_)
            if (predicate(*record.target))
                set_latest(record, nullptr);
    }

    /// Null if the key is not in the set; valid until the next change.
    const Record* find(const CacheKeyView& key) const {
        const auto found = records_.find(key);
        return found == records_.end() ? nullptr : &found->second;
    }

    /// Evicts what was not requested since `now - idle_after`; returns the keys. Zero evicts
    /// nothing.
    std::vector<CacheKey> evict_idle(TimePoint now, Duration idle_after) {
        std::vector<CacheKey> evicted;
        if (idle_after <= Duration::zero())
            return evicted;
        boost::unordered::erase_if(records_, [&](auto& item) {
            auto& [key, record] = item;
            // The first test is cheaper and usually decides.
            if (now - record.last_requested <= idle_after ||
                now - last_requested(record) <= idle_after)
                return false;
            evicted.push_back(key); // First, because it may throw.
            --size(key.kind());
            return true;
        });
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
        for (const auto& [key, record] : records_)
            f(record);
    }

    std::size_t size() const noexcept { return records_.size(); }
    /// How many of one kind are fetched in the background.
    std::size_t in_background(EntryKind kind) const {
        return static_cast<std::size_t>(
            std::count_if(records_.begin(), records_.end(), [kind](const auto& item) {
                return item.first.kind() == kind && item.second.in_background;
            }));
    }

private:
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
        std::vector<std::pair<TimePoint, const CacheKey*>> by_time;
        for (auto& [key, record] : records_)
            if (key.kind() == kind)
                by_time.emplace_back(last_requested(record), &key);
        const auto end = by_time.begin() + static_cast<std::ptrdiff_t>(count);
        std::nth_element(by_time.begin(), end, by_time.end());
        for (auto it = by_time.begin(); it != end; ++it)
            keys.push_back(*it->second);
    }

    std::size_t& size(EntryKind kind) noexcept { return sizes_[static_cast<std::size_t>(kind)]; }

    boost::unordered_flat_map<CacheKey, Record, CacheKeyHash, CacheKeyEqual> records_;
    /// Records of each kind.
    std::array<std::size_t, std::variant_size_v<Target>> sizes_{};
    std::size_t capacity_;
};

} // namespace wva_metrics::detail
