// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/cache/cache_entry.hpp"
#include "wva_metrics/cache/cache_key.hpp"
#include "wva_metrics/workload.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace wva_metrics {

/// The variants or models a collector has been asked for: what to fetch in the background, and
/// since when nobody has asked. `Target` is what is asked, or a pointer to it.
///
/// Pure bookkeeping: time is passed in, nothing is fetched. Not thread-safe; the collector guards
/// it.
template <typename Target>
class TrackedSet {
public:
    /// A target, and what is known of it.
    struct Record {
        /// What is asked.
        Target target;
        /// Known, but only fetched when somebody asks.
        bool in_background = true;
        /// When somebody last asked, as far as it is known here; marks on `latest` may be younger.
        TimePoint last_asked{};
        /// What was collected last; gone when the cache has dropped it.
        std::weak_ptr<const CacheEntry> latest;
    };

    /// Refuses what would be more than `max_records`.
    explicit TrackedSet(std::size_t max_records) : max_records_(max_records) {}

    /// Adds a target, or renews what is known of it; what is fetched in the background stays so.
    /// True where background fetching begins with this call; a full set refuses what it does not
    /// know.
    bool track(const CacheKeyView& key, Target target, bool in_background, TimePoint now) {
        if (const auto found = records_.find(key); found != records_.end()) {
            Record& record = found->second;
            const bool newly_tracked = in_background && !record.in_background;
            record.target = std::move(target);
            record.in_background = record.in_background || in_background;
            record.last_asked = std::max(record.last_asked, now);
            return newly_tracked;
        }
        if (records_.size() >= max_records_)
            return false;
        records_.emplace(CacheKey(key), Record{std::move(target), in_background, now, {}});
        return in_background;
    }

    /// Forgets a target. False where it was not known.
    bool untrack(const CacheKeyView& key) {
        const auto found = records_.find(key);
        if (found == records_.end())
            return false;
        records_.erase(found);
        return true;
    }

    /// Remembers that somebody asked and was given nothing, so that no entry bears the mark of it.
    void note_asked(const CacheKeyView& key, TimePoint now) {
        if (const auto found = records_.find(key); found != records_.end())
            found->second.last_asked = std::max(found->second.last_asked, now);
    }

    /// Remembers what was collected last, or that nothing is known any more (null), and from its
    /// predecessor when somebody last asked for it.
    void set_latest(const CacheKeyView& key, const CacheEntryPtr& entry) {
        if (const auto found = records_.find(key); found != records_.end())
            set_latest(found->second, entry);
    }

    /// Nothing is known any more of those of which `predicate(key)` holds.
    template <typename Predicate>
    void forget_latest_if(const Predicate& predicate) {
        for (auto& [key, record] : records_)
            if (predicate(CacheKeyView(key)))
                set_latest(record, nullptr);
    }

    /// Null where it is not known; valid until the next change.
    const Record* find(const CacheKeyView& key) const {
        const auto found = records_.find(key);
        return found == records_.end() ? nullptr : &found->second;
    }

    /// Removes and returns what nobody has asked for since `now - idle_after`. Zero keeps
    /// everything.
    std::vector<CacheKey> take_idle(TimePoint now, Duration idle_after) {
        std::vector<CacheKey> idle;
        if (idle_after <= Duration::zero())
            return idle;
        boost::unordered::erase_if(records_, [&](auto& item) {
            Record& record = item.second;
            // What was asked lately as far as is known here need not be looked at more closely.
            if (now - record.last_asked <= idle_after || now - last_asked(record) <= idle_after)
                return false;
            idle.push_back(item.first);
            return true;
        });
        return idle;
    }

    /// Another bound from now on. Removes and returns what is too many, that which nobody has asked
    /// for the longest.
    std::vector<CacheKey> set_max_records(std::size_t max_records) {
        max_records_ = max_records;
        std::vector<CacheKey> surplus;
        if (records_.size() <= max_records)
            return surplus;
        std::vector<std::pair<TimePoint, const CacheKey*>> by_time;
        by_time.reserve(records_.size());
        for (auto& [key, record] : records_)
            by_time.emplace_back(last_asked(record), &key);
        const auto kept_from =
            by_time.begin() + static_cast<std::ptrdiff_t>(records_.size() - max_records);
        std::nth_element(by_time.begin(), kept_from, by_time.end());
        for (auto it = by_time.begin(); it != kept_from; ++it)
            surplus.push_back(*it->second);
        for (const CacheKey& key : surplus)
            records_.erase(key);
        return surplus;
    }

    /// Calls `f(key, record)` for each record.
    template <typename F>
    void for_each(F&& f) const {
        for (const auto& [key, record] : records_)
            f(CacheKeyView(key), record);
    }

    /// How many there are, in the background or not.
    std::size_t size() const noexcept { return records_.size(); }
    /// How many of them are fetched in the background.
    std::size_t in_background() const {
        return static_cast<std::size_t>(
            std::count_if(records_.begin(), records_.end(),
                          [](const auto& item) { return item.second.in_background; }));
    }

private:
    static void set_latest(Record& record, const CacheEntryPtr& entry) {
        last_asked(record);
        record.latest = entry;
    }

    /// A hit does not reach this set (it takes no lock); it leaves its mark on the entry.
    static TimePoint last_asked(Record& record) {
        if (const CacheEntryPtr entry = record.latest.lock())
            record.last_asked = std::max(record.last_asked, entry->last_used());
        return record.last_asked;
    }

    boost::unordered_flat_map<CacheKey, Record, CacheKeyHash, CacheKeyEqual> records_;
    std::size_t max_records_;
};

} // namespace wva_metrics
