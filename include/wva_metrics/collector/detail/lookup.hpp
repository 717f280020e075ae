// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/collector/detail/confirmed_availability.hpp"
#include "wva_metrics/collector/detail/coordinator.hpp"
#include "wva_metrics/collector/detail/dispatcher.hpp"
#include "wva_metrics/collector/detail/flight.hpp"
#include "wva_metrics/collector/detail/handle_state.hpp"
#include "wva_metrics/collector/detail/hit_visitor.hpp"
#include "wva_metrics/collector/detail/hot_config.hpp"
#include "wva_metrics/collector/detail/negative_verdict.hpp"
#include "wva_metrics/collector/detail/reader_notes.hpp"
#include "wva_metrics/detail/describe_exception.hpp"
#include "wva_metrics/observer/events.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/post.hpp>
#include <boost/config.hpp>

#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <type_traits>
#include <utility>

namespace wva_metrics::detail {

/// Answers from the cache, or lets a caller wait. `Data` is a `CollectorData`.
///
/// `HotConfig::usability_of` decides what is a hit. A fresh hit takes no lock and allocates nothing.
/// Nothing that is found in the cache, and nothing that `find` returns, waits for the collector's
/// mutex: what the coordinator has to know of it is told if the mutex is free, and else noted.
template <typename Data>
class Lookup {
public:
    Lookup(Data& data, Dispatcher<Data>& dispatcher) : data_(data), dispatcher_(dispatcher) {}

    /// Returns a hit or, while the backend fails, the last good entry. Never waits. `place` is a
    /// `KeyPlace` or a `CellPlace`.
    template <typename Place>
    std::optional<Answer> find(const Place& place, TimePoint at) {
        constexpr const OptimizerTarget* any_target = nullptr;
        Found found = look_up(place, any_target, at);
        if (found.hit)
            return Answer{std::move(found.hit), Source::cache};
        const CacheKeyView key = place.key();
        tell_coordinator(key, found.last_good, at);
        if (!found.last_good || !data_.coordinator.failures().contains(key))
            return std::nullopt;
        data_.report_stale_on_error(key, *found.last_good, at);
        return Answer{std::move(found.last_good), Source::stale_on_error};
    }

    /// Calls `use(entry, source)` with what `find` would return, in place, and returns whether there was
    /// something. For a fresh hit no reference is counted.
    ///
    /// Inlined by force, down to the cache's look-up by cell, so that a hit passes nothing through
    /// memory. What is not a fresh hit gets copies, and so is `use` small.
    template <typename Place, typename Use>
    BOOST_FORCEINLINE bool visit(const Place& place, TimePoint at, const Use& use) {
        bool is_there = false;
        bool is_fresh = false;
        std::exception_ptr thrown;
        const HitVisitor<Data, Place, Use> visitor{data_, place, at, use, is_fresh, thrown};
        if (data_.hot_config.is_cache_enabled()) {
            try { // As `with_cache`, which is not inlined.
                is_there = data_.cache.visit(place.where(), at, visitor);
            } catch (...) {
                data_.counters.add(data_.counters.cache_failures);
            }
        }
        if (thrown) [[unlikely]]
            std::rethrow_exception(thrown);
        return is_fresh || visit_other<Place, Use>(place, at, use, is_there);
    }

    /// Returns a hit. Otherwise returns null, and the waiter of `make_waiter()` waits for a flight
    /// or is completed immediately. A waiter is completed exactly once, or destroyed with the
    /// executor's context.
    template <typename TargetType, typename MakeWaiter>
    CacheEntryPtr find_or_wait(TargetType&& target, TimePoint at, MakeWaiter&& make_waiter) {
        const CacheKeyView key = key_of(target);
        Found found = look_up(KeyPlace{key}, &target, at);
        if (found.hit)
            return std::move(found.hit);
        const WaiterPtr waiter = waiter_for(std::move(found), make_waiter);
        wait(std::make_shared<const Target>(std::forward<TargetType>(target)), waiter, at);
        return nullptr;
    }
    /// The same for the target of a handle.
    template <typename Place, typename TargetType, typename MakeWaiter>
    CacheEntryPtr find_or_wait(const Place& place, const Handle<TargetType>& handle, TimePoint at,
                               MakeWaiter&& make_waiter) {
        Found found = look_up(place, &handle.target(), at);
        if (found.hit)
            return std::move(found.hit);
        const WaiterPtr waiter = waiter_for(std::move(found), make_waiter);
        wait(handle.state()->target, waiter, at);
        return nullptr;
    }

    /// Returns a hit or null. Never waits.
    template <typename Place, typename TargetType>
    CacheEntryPtr find_hit(const Place& place, const TargetType& target, TimePoint at) {
        return look_up(place, &target, at).hit;
    }

    /// A waiter leaves; its flight continues for the others and for the cache.
    void leave(const WaiterPtr& waiter) {
        {
            const std::lock_guard lock(data_.mutex);
            if (!data_.coordinator.leave(waiter))
                return;
        }
        waiter->complete(error_with(Errc::aborted, "the caller cancelled the operation"));
    }

private:
    /// The rest of `visit`, for what is not a fresh hit.
    template <typename Place, typename Use>
    BOOST_NOINLINE bool visit_other(const Place place, TimePoint at, const Use use, bool is_there) {
        if (!is_there) {
            tell_coordinator(place.key(), nullptr, at);
            return false;
        }
        data_.counters.add(data_.counters.own_stale_hits); // `find` counts it again.
        const std::optional<Answer> answer = find(place, at);
        if (answer)
            use(*answer->entry, answer->source);
        return answer.has_value();
    }

    /// Either a hit, or an entry that is none.
    struct Found {
        CacheEntryPtr hit{};
        /// Served if the backend fails. Null, or the same as `previous`.
        CacheEntryPtr last_good{};
        /// Replaced by the next answer.
        CacheEntryPtr previous{};
    };
    static Found no_hit(CacheEntryPtr entry, bool is_good) {
        return {.last_good = is_good ? entry : nullptr, .previous = std::move(entry)};
    }

    template <typename MakeWaiter>
    static WaiterPtr waiter_for(Found found, MakeWaiter& make_waiter) {
        WaiterPtr waiter = make_waiter();
        waiter->last_good = std::move(found.last_good);
        waiter->previous = std::move(found.previous);
        return waiter;
    }

    /// A stale hit is revalidated in the background. An entry for another target than `target` is
    /// no hit; null accepts every entry.
    template <typename Place, typename TargetType>
    Found look_up(const Place& place, const TargetType* target, TimePoint at) {
        if (!data_.hot_config.is_cache_enabled())
            return {};
        CacheEntryPtr entry;
        data_.with_cache([&](auto& cache) { entry = cache.find(place.where(), at); });
        if (!entry)
            return {};
        entry->mark_used(at);
        auto& counters = data_.counters;
        if (target != nullptr && !is_entry_for(*entry, *target)) {
            counters.add(entry->is_fresh(at) ? counters.unusable_hits
                                             : counters.unusable_stale_hits);
            return {};
        }
        if (!is_confirmed(*entry, target, at)) {
            counters.add(entry->is_fresh(at) ? counters.unusable_hits
                                             : counters.unusable_stale_hits);
            const bool is_good = data_.hot_config.usability_of(*entry, at) != Usability::none &&
                                 !is_negative_verdict(*entry);
            return no_hit(std::move(entry), is_good);
        }
        const Usability usability = data_.hot_config.usability_of(*entry, at);
        switch (usability) {
        case Usability::fresh:
            data_.notify(events::Hit{place.key(), entry->age(at)});
            return {.hit = std::move(entry)};
        case Usability::stale:
            data_.notify(events::StaleHit{place.key(), entry->age(at)});
            tell_coordinator(place.key(), entry, at);
            return {.hit = std::move(entry)};
        case Usability::on_error:
        case Usability::none:
            break;
        }
        counters.add(counters.unusable_stale_hits);
        return no_hit(std::move(entry), usability == Usability::on_error);
    }

    /// Only an availability needs to be confirmed. It is not fetched in the background, but the
    /// model's replicas are.
    template <typename TargetType>
    bool is_confirmed(const CacheEntry& entry, const TargetType* target, TimePoint at) {
        if constexpr (std::is_same_v<TargetType, AvailabilityTarget>) {
            const CacheKeyView replicas = replica_key(target->model);
            if (data_.coordinator.failures().has_failed_since(replicas, entry.collected_at()))
                return false;
            CacheEntryPtr latest;
            data_.with_cache([&](auto& cache) { latest = cache.find(replicas, at); });
            auto& counters = data_.counters;
            counters.add(!latest                ? counters.own_misses
                         : latest->is_fresh(at) ? counters.own_hits
                                                : counters.own_stale_hits);
            return agrees_with_replicas(entry, latest.get(), data_.hot_config.partial_ttl(), at);
        }
        return true;
    }

    /// Does what the coordinator decides about a miss.
    void wait(const TargetPtr& target, const WaiterPtr& waiter, TimePoint at) {
        const CacheKeyView key = key_of(*target);
        data_.notify(events::Miss{key});
        MissAction action;
        {
            const std::lock_guard lock(data_.mutex);
            action = data_.coordinator.on_miss(target, waiter, at);
            if (action.step == MissAction::Step::wait_and_send)
                send_or_leave(waiter);
        }
        data_.report_tracking(action.tracking, key);
        if (action.coalesced) {
            data_.counters.add(data_.counters.coalesced);
            data_.notify(events::Coalesced{key});
        }
        if (action.negative_hit)
            data_.counters.add(data_.counters.negative_hits);
        if (action.step == MissAction::Step::complete_with_error)
            data_.complete_with_error(key, action.error, *waiter, at);
    }

    /// If nobody can be asked to send the queue, this caller does not wait for it.
    void send_or_leave(const WaiterPtr& waiter) {
        try {
            dispatcher_.post_send();
        } catch (...) {
            data_.coordinator.leave(waiter);
            throw;
        }
    }

    /// Tells the coordinator of a stale entry that is to be fetched again, or (null) of a request
    /// that found none. Without waiting: if the mutex is busy, it is told later. If memory is short,
    /// the next request tells it.
    void tell_coordinator(const CacheKeyView& key, const CacheEntryPtr& stale,
                          TimePoint at) noexcept {
        try {
            {
                const std::unique_lock lock(data_.mutex, std::try_to_lock);
                if (lock.owns_lock())
                    return tell_with_lock(key, stale, at);
            }
            const asio::any_io_executor executor = data_.executor.get();
            if (executor && notes_.add(key, stale, at))
                post_notes(executor);
        } catch (...) {
        }
    }
    void post_notes(const asio::any_io_executor& executor) {
        try {
            asio::post(executor, [this, owner = data_.owner.lock()] { tell_noted(); });
        } catch (...) {
            notes_.take(); // Nobody else will: later notes are not the first.
            throw;
        }
    }
    void tell_noted() noexcept {
        const auto notes = notes_.take();
        const std::lock_guard lock(data_.mutex);
        for (const auto& [key, note] : notes) {
            try {
                tell_with_lock(key, note.stale, note.at);
            } catch (...) { // As above.
            }
        }
    }
    void tell_with_lock(const CacheKeyView& key, const CacheEntryPtr& stale, TimePoint at) {
        if (!stale)
            data_.coordinator.touch(key, at);
        else if (data_.coordinator.revalidate(key, stale, at))
            dispatcher_.post_send();
    }

    Data& data_;
    Dispatcher<Data>& dispatcher_;
    ReaderNotes notes_;
};

} // namespace wva_metrics::detail
