// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/cache/key_prefix.hpp"
#include "wva_metrics/collector/detail/collector_destroyed.hpp"
#include "wva_metrics/collector/detail/failure_memory.hpp"
#include "wva_metrics/collector/detail/fetch_schedule.hpp"
#include "wva_metrics/collector/detail/flight_blocks.hpp"
#include "wva_metrics/collector/detail/flight_queue.hpp"
#include "wva_metrics/collector/detail/flight_table.hpp"
#include "wva_metrics/collector/detail/make_room.hpp"
#include "wva_metrics/collector/detail/miss_action.hpp"
#include "wva_metrics/collector/detail/note_batch.hpp"
#include "wva_metrics/collector/detail/tracked_set.hpp"
#include "wva_metrics/collector_stats.hpp"
#include "wva_metrics/config.hpp"
#include "wva_metrics/detail/describe_exception.hpp"
#include "wva_metrics/detail/saturating_add.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace wva_metrics::detail {

/// Keeps the flights, the failures and the tracked targets, and decides from them what to fetch.
///
/// It sends and completes nothing, reads no clock and takes no lock: time is a parameter, and
/// callers hold the collector's mutex.
///
/// If memory is short a function throws, but loses no flight: each that is open is queued, due or
/// overdue, or was taken from here.
class Coordinator {
public:
    explicit Coordinator(const CollectorConfig& config)
        : config_(config), failures_(config.cache.max_entries), tracked_(config.max_tracked) {}

    /// Applies another configuration. Returns the keys that are no longer tracked because
    /// `max_tracked` was lowered.
    std::vector<CacheKey> configure(const CollectorConfig& config) {
        config_ = config;
        failures_.set_capacity(config.cache.max_entries);
        return tracked_.set_capacity(config.max_tracked);
    }
    const CollectorConfig& config() const noexcept { return config_; }

    /// Decides what happens to a caller that found no usable entry. It is rejected if the collector
    /// is closed, if `max_waiters` callers wait, or if the last fetch failed within `negative_ttl`,
    /// even if a flight is open. Otherwise it joins the key's flight if that is for the same target
    /// and not overdue, or else opens one.
    MissAction on_miss(const TargetPtr& target, const WaiterPtr& waiter, TimePoint now) {
        const CacheKeyView key = key_of(*target);
        if (closed_)
            return {.step = MissAction::Step::complete_with_error, .error = collector_destroyed()};
        if (flights_.waiting() >= config_.max_waiters) {
            touch(key, now);
            return {.step = MissAction::Step::complete_with_error,
                    .error = too_many_waiters(config_.max_waiters)};
        }
        MissAction action{.tracking = tracked_.track(target, config_.track_on_collection, now)};
        if (std::optional<Error> failure = failures_.recent_error(key, now)) {
            action.step = MissAction::Step::complete_with_error;
            action.error = *std::move(failure);
            action.negative_hit = true;
            return action;
        }
        FlightPtr flight = flights_.find(key);
        action.coalesced =
            flights_.is_in_flight(key, now) && is_same_target(*flight->target, *target);
        if (!action.coalesced) {
            flight = enqueue(target, waiter->previous, now);
            enqueue_failed_with(key, now);
        }
        flights_.join(flight, waiter);
        action.step = queue_.must_send() ? MissAction::Step::wait_and_send : MissAction::Step::wait;
        return action;
    }

    /// Records the time of a request that was not a hit (a hit records it in the entry).
    void touch(const CacheKeyView& key, TimePoint now) { tracked_.touch(key, now); }

    /// Queues a fetch to replace a stale entry, unless one is in flight or has just failed. Returns
    /// true if the queue must be sent.
    bool revalidate(const CacheKeyView& key, const CacheEntryPtr& entry, TimePoint now) {
        if (closed_ || failures_.is_recent(key, now))
            return false;
        if (flights_.is_in_flight(key, now))
            return queue_.must_send();
        // The tracked target may be newer than the entry.
        TargetPtr target = known_target(key);
        if (!target)
            target = std::make_shared<const Target>(target_of(key, *entry));
        const bool entry_is_current = is_entry_for(*entry, *target);
        enqueue(std::move(target), entry_is_current ? entry : nullptr, now);
        enqueue_failed_with(key, now);
        return queue_.must_send();
    }

    /// What is to be sent.
    FlightQueue& queue() noexcept { return queue_; }

    /// Returns false if the waiter no longer waits.
    bool leave(const WaiterPtr& waiter) noexcept { return flights_.leave(waiter); }

    struct Settled {
        std::vector<WaiterPtr> waiters;
        /// It had not been settled before.
        bool was_open = false;
        /// The target was not invalidated or untracked during the fetch, nor the collector closed:
        /// the answer may be cached, or the failure remembered.
        bool current = false;
    };

    Settled settle(const FlightPtr& flight, const CacheEntryPtr& entry) noexcept {
        Settled settled = settle(flight);
        if (settled.current) {
            failures_.forget(flight->key());
            tracked_.set_latest(flight->key(), entry);
        }
        return settled;
    }

    Settled settle(const FlightPtr& flight, const Error& error, TimePoint now) noexcept {
        Settled settled = settle(flight);
        try {
            if (settled.current)
                failures_.remember(flight->key(), error, now,
                                   saturating_add(now, config_.cache.negative_ttl));
        } catch (...) { // Memory is short: the next caller asks the backend again, no harm.
        }
        if (settled.was_open)
            health_.last_error = copy_of(error);
        return settled;
    }

    /// The remembered failures. Thread-safe: may be asked without the collector's mutex.
    const FailureMemory& failures() const noexcept { return failures_; }

    /// Fetches the target in the background from now on, or updates it.
    Tracking track(TargetPtr target, TimePoint now) {
        return tracked_.track(std::move(target), true, now);
    }
    /// The target of a key, as it was tracked or requested last; null if it is not known.
    TargetPtr known_target(const CacheKeyView& key) const {
        const TrackedSet::Record* record = tracked_.find(key);
        return record != nullptr ? record->target : nullptr;
    }
    /// Returns false if the key was not known.
    bool untrack(const CacheKeyView& key) {
        forget(key);
        return tracked_.untrack(key);
    }

    /// Discards the key's flight, clears its remembered failure, forgets its latest entry (callers
    /// may still hold it).
    void forget(const CacheKeyView& key) {
        flights_.discard(key);
        failures_.forget(key);
        tracked_.set_latest(key, nullptr);
    }
    /// As `forget`, for all keys with this prefix. Clears all remembered failures, because that is
    /// simpler and costs at most one fetch for each other key.
    void forget_prefix(std::string_view prefix) {
        forget_if([&](const Target& target) { return starts_with(key_of(target), prefix); });
    }
    /// As `forget_prefix`, for all that is fetched of a model: its replicas, its availability, and
    /// its variants, tracked or not.
    void forget_model(const ModelKey& model) {
        forget_if([&](const Target& target) { return is_of_model(target, model); });
    }
    /// Forgets all latest entries, because the cache was cleared.
    void forget_entries() {
        tracked_.forget_latest_if([](const Target&) { return true; });
    }

    /// Untracks and forgets what was not requested within `untrack_after`; returns the keys, whose
    /// entries the caller erases. (`configure` only untracks: they may still be requested.)
    std::vector<CacheKey> evict_idle(TimePoint now) {
        std::vector<CacheKey> evicted = tracked_.evict_idle(now, config_.untrack_after);
        for (const CacheKey& key : evicted)
            forget(key);
        return evicted;
    }

    struct Due {
        std::vector<FlightPtr> variants;
        std::vector<FlightPtr> models;
    };

    /// Opens a flight for each target that is fetched in the background and has none, except those
    /// collected within the last half interval whose entry stays fresh until the next round can
    /// complete at the latest.
    Due open_due(TimePoint now) {
        const Duration interval = effective_fetch_interval(config_);
        const Duration longest = varied_interval(interval, 1, longest_fetch_interval(config_));
        const TimePoint next_round_completes =
            saturating_add(saturating_add(now, longest), config_.call_timeout);
        const TimePoint deadline = saturating_add(now, config_.call_timeout);
        Due due;
        FlightBlocks blocks;
        const auto open_if_due = [&](const TrackedSet::Record& record) {
            const FlightPtr old = flights_.find(key_of(*record.target));
            if (!record.in_background || (old && is_in_flight(*old, now)))
                return;
            CacheEntryPtr latest = record.current_entry();
            if (latest && latest->collected_at() > now - interval / 2 &&
                latest->fresh_until() >= next_round_completes)
                return;
            auto& flights =
                std::holds_alternative<OptimizerTarget>(*record.target) ? due.variants : due.models;
            make_room(flights);
            queue_.push_if_overdue(old, now);
            flights.push_back(
                flights_.open(blocks.make(record.target, std::move(latest), deadline)));
        };
        try {
            tracked_.for_each(open_if_due);
        } catch (...) { // Memory is short: the others are due in the next round.
        }
        return due;
    }

    /// Updates the health after all targets of a batch were settled; `settle` has set `last_error`.
    void note_batch(std::size_t targets, std::size_t failed, TimePoint now) noexcept {
        detail::note_batch(health_, targets, failed, now);
    }

    /// Nothing is queued or cached from now on. Idempotent.
    void close() noexcept {
        closed_ = true;
        queue_.clear();
    }
    bool is_closed() const noexcept { return closed_; }
    /// After `close`: ends any flight and returns its waiters; empty if none is open.
    std::optional<std::vector<WaiterPtr>> settle_any() noexcept {
        const FlightPtr flight = flights_.any();
        return flight ? std::optional(flights_.settle(flight)) : std::nullopt;
    }

    /// Sets the counters that are known here.
    void add_to(CollectorStats& stats) const {
        stats.tracked_variants = tracked_.in_background(EntryKind::optimizer);
        stats.tracked_models = tracked_.in_background(EntryKind::replica);
        stats.in_flight = flights_.in_flight();
    }
    const CollectorHealth& health() const noexcept { return health_; }

private:
    /// If the key's last fetch failed, everything tracked that failed too is fetched with it. A batch
    /// costs a backend about the same for one target as for a thousand. So a backend that comes back
    /// gets one batch, not one for each caller.
    void enqueue_failed_with(const CacheKeyView& key, TimePoint now) {
        if (!failures_.contains(key))
            return;
        const auto enqueue_if_failed = [&](const TrackedSet::Record& record) {
            const CacheKeyView other = key_of(*record.target);
            if (record.in_background && failures_.contains(other) &&
                !failures_.is_recent(other, now) && !flights_.is_in_flight(other, now))
                enqueue(record.target, record.current_entry(), now);
        };
        try {
            tracked_.for_each(enqueue_if_failed);
        } catch (...) { // Memory is short: the others are fetched when they are asked for.
        }
    }

    /// Opens a flight that the queue holds, and replaces that of the same key.
    FlightPtr enqueue(TargetPtr target, CacheEntryPtr previous, TimePoint now) {
        queue_.make_room();
        queue_.push_if_overdue(flights_.find(key_of(*target)), now);
        FlightPtr flight = flights_.open(std::move(target), std::move(previous),
                                         saturating_add(now, config_.call_timeout));
        queue_.push(flight);
        return flight;
    }
    Settled settle(const FlightPtr& flight) noexcept {
        const bool was_open = flights_.is_open(flight);
        return {flights_.settle(flight), was_open, was_open && !flight->discarded && !closed_};
    }
    template <typename Predicate>
    void forget_if(const Predicate& predicate) {
        flights_.discard_if(predicate);
        failures_.clear();
        tracked_.forget_latest_if(predicate);
    }

    CollectorConfig config_;
    FlightTable flights_;
    FailureMemory failures_;
    TrackedSet tracked_;
    FlightQueue queue_;
    CollectorHealth health_;
    bool closed_ = false;
};

} // namespace wva_metrics::detail
