// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/flight.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace wva_metrics::detail {

/// Single-flight bookkeeping: at most one flight per key that new callers may join.
///
/// A discarded flight leaves the keys, so that the next caller opens a new one, but goes on for
/// those who wait for it. Not thread-safe, does no I/O; the collector guards it with its mutex.
class FlightTable {
public:
    /// The flight that a new caller may join; null where there is none.
    FlightPtr find(const CacheKeyView& key) const {
        const auto found = current_.find(key);
        return found == current_.end() ? nullptr : found->second;
    }

    /// Opens a flight and queues it for the next batch; a flight of the same key is no longer
    /// joined.
    FlightPtr open(const CacheKeyView& key, Question question, CacheEntryPtr previous) {
        auto flight = std::make_shared<Flight>(key, std::move(question), std::move(previous));
        discard(key);
        current_.emplace(flight->key, flight);
        all_.insert(flight);
        return flight;
    }

    void join(const FlightPtr& flight, const WaiterPtr& waiter) {
        waiter->flight = flight;
        flight->waiters.push_back(waiter);
        ++waiting_;
    }

    /// False where the waiter no longer waits: its completion is on its way.
    bool leave(const WaiterPtr& waiter) {
        const FlightPtr flight = waiter->flight.lock();
        if (!flight || std::erase(flight->waiters, waiter) == 0)
            return false;
        --waiting_;
        return true;
    }

    /// Sees to it that the answer for this key is not cached. False where none is under way.
    bool discard(const CacheKeyView& key) {
        const auto found = current_.find(key);
        if (found == current_.end())
            return false;
        found->second->discarded = true;
        current_.erase(found);
        return true;
    }

    template <typename Predicate>
    void discard_if(Predicate&& predicate) {
        std::erase_if(current_, [&](const auto& item) {
            if (!predicate(CacheKeyView(item.first)))
                return false;
            item.second->discarded = true;
            return true;
        });
    }

    /// Ends a flight and hands over who waits for it.
    std::vector<WaiterPtr> settle(const FlightPtr& flight) {
        all_.erase(flight);
        if (const auto found = current_.find(flight->key);
            found != current_.end() && found->second == flight)
            current_.erase(found);
        waiting_ -= flight->waiters.size();
        return std::exchange(flight->waiters, {});
    }

    /// Everybody who waits for anything.
    std::vector<WaiterPtr> take_all_waiters() {
        std::vector<WaiterPtr> waiters;
        for (const FlightPtr& flight : all_) {
            waiters.insert(waiters.end(), flight->waiters.begin(), flight->waiters.end());
            flight->waiters.clear();
            flight->discarded = true;
        }
        current_.clear();
        waiting_ = 0;
        return waiters;
    }

    std::size_t in_flight() const noexcept { return all_.size(); }
    std::size_t waiting() const noexcept { return waiting_; }

private:
    std::unordered_map<CacheKey, FlightPtr, CacheKeyHash, CacheKeyEqual> current_;
    std::unordered_set<FlightPtr> all_;
    std::size_t waiting_ = 0;
};

} // namespace wva_metrics::detail
