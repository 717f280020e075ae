// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/collector/detail/flight.hpp"
#include "wva_metrics/collector/detail/make_room.hpp"

#include <boost/unordered/unordered_flat_set.hpp>

#include <cstddef>
#include <utility>
#include <vector>

namespace wva_metrics::detail {

/// Single-flight bookkeeping: at most one flight per key that new callers may join.
///
/// A discarded flight no longer counts for its key, so the next caller opens a new one; the callers
/// that already wait still get its answer. Does no I/O. Not thread-safe: guarded by the collector's
/// mutex.
///
/// Only opening and joining need memory. If there is none they throw and change nothing, except that
/// `open` may have discarded the flight that it was to replace.
class FlightTable {
public:
    /// The flight that a new caller may join; null if there is none.
    FlightPtr find(const CacheKeyView& key) const {
        const auto found = current_.find(key);
        return found == current_.end() ? nullptr : *found;
    }

    /// Whether there is one, and it is not overdue.
    bool is_in_flight(const CacheKeyView& key, TimePoint now) const noexcept {
        const FlightPtr flight = find(key);
        return flight != nullptr && detail::is_in_flight(*flight, now);
    }

    /// Opens a new flight, and discards the one of the same key, if any.
    FlightPtr open(FlightPtr flight) {
        make_room(open_); // First: a current flight must be open.
        if (const auto [place, is_new] = current_.insert(flight); !is_new) {
            discard(place);
            current_.insert(flight);
        }
        flight->place = open_.size();
        open_.push_back(flight);
        return flight;
    }

    FlightPtr open(TargetPtr target, CacheEntryPtr previous, TimePoint deadline) {
        return open(std::make_shared<Flight>(std::move(target), std::move(previous), deadline));
    }

    void join(const FlightPtr& flight, const WaiterPtr& waiter) {
        flight->waiters.push_back(waiter);
        waiter->flight = flight;
        waiter->place = flight->waiters.size() - 1;
        ++waiting_;
    }

    /// Returns false if the waiter no longer waits: it is being completed. In constant time; the last
    /// waiter takes its place.
    bool leave(const WaiterPtr& waiter) noexcept {
        const FlightPtr flight = waiter->flight.lock();
        if (!flight)
            return false;
        auto& waiters = flight->waiters;
        const std::size_t place = waiter->place;
        if (place >= waiters.size() || waiters[place] != waiter)
            return false;
        waiters[place].swap(waiters.back());
        waiters[place]->place = place;
        waiters.pop_back();
        --waiting_;
        return true;
    }

    /// Prevents the in-flight answer for this key from being cached. Returns false if there is
    /// none.
    bool discard(const CacheKeyView& key) noexcept {
        const auto found = current_.find(key);
        if (found == current_.end())
            return false;
        discard(found);
        return true;
    }

    /// As `discard`, for all targets that satisfy the predicate.
    template <typename Predicate>
    void discard_if(Predicate&& predicate) {
        boost::unordered::erase_if(current_, [&](const FlightPtr& flight) {
            if (!predicate(*flight->target))
                return false;
            flight->discarded = true;
            return true;
        });
    }

    /// Whether it has not been settled.
    bool is_open(const FlightPtr& flight) const noexcept {
        return flight->place < open_.size() && open_[flight->place] == flight;
    }
    /// Any open flight; null if there is none.
    FlightPtr any() const noexcept { return open_.empty() ? nullptr : open_.back(); }

    /// Ends a flight and returns its waiters; none if it has ended before.
    std::vector<WaiterPtr> settle(const FlightPtr& flight) noexcept {
        if (!is_open(flight))
            return {};
        if (!flight->discarded)
            current_.erase(current_.find(flight));
        const std::size_t place = flight->place;
        open_.back()->place = place;
        open_[place].swap(open_.back());
        open_.pop_back();
        waiting_ -= flight->waiters.size();
        return std::exchange(flight->waiters, {});
    }

    /// Open flights, the discarded ones too.
    std::size_t in_flight() const noexcept { return open_.size(); }
    std::size_t waiting() const noexcept { return waiting_; }

private:
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(const CacheKeyView& key) const noexcept {
            return CacheKeyHash()(key);
        }
        std::size_t operator()(const FlightPtr& flight) const noexcept { return flight->key_hash; }
    };
    struct Equal {
        using is_transparent = void;
        bool operator()(const FlightPtr& a, const FlightPtr& b) const noexcept {
            return a == b || (a->key_hash == b->key_hash && a->key() == b->key());
        }
        bool operator()(const CacheKeyView& a, const FlightPtr& b) const noexcept {
            return a == b->key();
        }
        bool operator()(const FlightPtr& a, const CacheKeyView& b) const noexcept {
            return a->key() == b;
        }
    };
    using Current = boost::unordered_flat_set<FlightPtr, Hash, Equal>;

    void discard(Current::iterator place) noexcept {
        (*place)->discarded = true;
        current_.erase(place);
    }

    /// The flight that new callers join, one per key: those that are open and not discarded.
    Current current_;
    /// Each knows its place.
    std::vector<FlightPtr> open_;
    std::size_t waiting_ = 0;
};

} // namespace wva_metrics::detail
