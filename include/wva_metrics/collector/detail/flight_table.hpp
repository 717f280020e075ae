// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/collector/detail/flight.hpp"

#include <boost/unordered/unordered_flat_set.hpp>

#include <cstddef>
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
        return found == current_.end() ? nullptr : *found;
    }

    /// Opens a flight; one of the same key is no longer joined.
    FlightPtr open(EntryKind kind, TargetPtr target, CacheEntryPtr previous) {
        auto flight = std::make_shared<Flight>(kind, std::move(target), std::move(previous));
        if (const auto [place, is_new] = current_.insert(flight); !is_new) {
            discard(place);
            current_.insert(flight);
        }
        return flight;
    }

    /// Opens a flight unless one of the same key is under way: null then.
    FlightPtr open_first(EntryKind kind, TargetPtr target, CacheEntryPtr previous) {
        auto flight = std::make_shared<Flight>(kind, std::move(target), std::move(previous));
        return current_.insert(flight).second ? flight : nullptr;
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
        discard(found);
        return true;
    }

    template <typename Predicate>
    void discard_if(Predicate&& predicate) {
        boost::unordered::erase_if(current_, [&](const FlightPtr& flight) {
            if (!predicate(flight->key()))
                return false;
            flight->discarded = true;
            discarded_.insert(flight);
            return true;
        });
    }

    /// Ends a flight and hands over who waits for it.
    std::vector<WaiterPtr> settle(const FlightPtr& flight) {
        if (const auto found = current_.find(flight->key());
            found != current_.end() && *found == flight)
            current_.erase(found);
        else
            discarded_.erase(flight);
        waiting_ -= flight->waiters.size();
        return std::exchange(flight->waiters, {});
    }

    /// Everybody who waits for anything.
    std::vector<WaiterPtr> take_all_waiters() {
        discard_if([](const CacheKeyView&) { return true; });
        std::vector<WaiterPtr> waiters;
        for (const FlightPtr& flight : discarded_) {
            waiters.insert(waiters.end(), flight->waiters.begin(), flight->waiters.end());
            flight->waiters.clear();
        }
        waiting_ = 0;
        return waiters;
    }

    std::size_t in_flight() const noexcept { return current_.size() + discarded_.size(); }
    std::size_t waiting() const noexcept { return waiting_; }

private:
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(const CacheKeyView& key) const noexcept {
            return CacheKeyHash()(key);
        }
        std::size_t operator()(const FlightPtr& flight) const noexcept {
            return CacheKeyHash()(flight->key());
        }
    };
    struct Equal {
        using is_transparent = void;
        bool operator()(const FlightPtr& a, const FlightPtr& b) const noexcept {
            return a->key() == b->key();
        }
        bool operator()(const CacheKeyView& a, const FlightPtr& b) const noexcept {
            return a == b->key();
        }
        bool operator()(const FlightPtr& a, const CacheKeyView& b) const noexcept {
            return a->key() == b;
        }
    };
    using Current = boost::unordered_flat_set<FlightPtr, Hash, Equal>;

    void discard(Current::iterator place) {
        (*place)->discarded = true;
        discarded_.insert(*place);
        current_.erase(place);
    }

    /// One per key.
    Current current_;
    std::unordered_set<FlightPtr> discarded_;
    std::size_t waiting_ = 0;
};

} // namespace wva_metrics::detail
