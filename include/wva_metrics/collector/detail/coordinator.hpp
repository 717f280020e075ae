// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/cache/key_prefix.hpp"
#include "wva_metrics/collector/detail/collector_destroyed.hpp"
#include "wva_metrics/collector/detail/failure_memory.hpp"
#include "wva_metrics/collector/detail/fetch_schedule.hpp"
#include "wva_metrics/collector/detail/flight_table.hpp"
#include "wva_metrics/collector/detail/tracked_set.hpp"
#include "wva_metrics/collector_stats.hpp"
#include "wva_metrics/config.hpp"
#include "wva_metrics/detail/saturating_add.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace wva_metrics::detail {

/// What the collector must do about a miss.
struct MissAction {
    enum class Step {
        /// Do not wait: complete the waiter with `error`, or with its last good value.
        complete_with_error,
        /// The waiter has joined a flight.
        wait,
        /// The same, and the queue must be sent: it was empty before.
        wait_and_send,
    };
    Step step = Step::wait;
    /// Only for `complete_with_error`.
    Error error{};

    // The caller reports these as events and counters.
    /// The error is remembered from a recent failure.
    bool negative_hit = false;
    /// The flight had been opened before.
    bool coalesced = false;
    /// Whether the target is fetched in the background from this miss on.
    Tracking tracking = Tracking::unchanged;
};

/// Keeps the flights, the failures and the tracked targets, and decides from them what to fetch.
///
/// It sends and completes nothing, reads no clock and takes no lock: time is a parameter, and
/// callers hold the collector's mutex.
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
    /// even if a flight is open. Otherwise it joins the key's flight if that is for the same target,
    /// or else opens one.
    MissAction on_miss(const TargetPtr& target, const WaiterPtr& waiter, TimePoint now) {
        const CacheKeyView key = key_of(*target);
        if (closed_)
            return {.step = MissAction::Step::complete_with_error, .error = collector_destroyed()};
        if (flights_.waiting() >= config_.max_waiters) {
            touch(key, now);
            return {.step = MissAction::Step::complete_with_error, .error = too_many_waiters()};
        }
        MissAction action{.tracking = tracked_.track(target, config_.track_on_collection, now)};
        if (std::optional<Error> failure = failures_.recent_error(key, now)) {
            action.step = MissAction::Step::complete_with_error;
            action.error = *std::move(failure);
            action.negative_hit = true;
            return action;
        }
        FlightPtr flight = flights_.find(key);
        action.coalesced = flight != nullptr && is_same_target(*flight->target, *target);
        if (!action.coalesced) {
            action.step =
                queued_.empty() ? MissAction::Step::wait_and_send : MissAction::Step::wait;
            flight = flights_.open(target, waiter->previous);
            queued_.push_back(flight);
            queue_failed_with(key, now);
        }
        flights_.join(flight, waiter);
        return action;
    }

    /// Records the time of a request that was not a hit (a hit records it in the entry).
    void touch(const CacheKeyView& key, TimePoint now) { tracked_.touch(key, now); }

    /// Queues a fetch to replace a stale entry, unless one is in flight or has just failed. Returns
    /// true if the queue must be sent.
    bool revalidate(const CacheKeyView& key, const CacheEntryPtr& entry, TimePoint now) {
        if (closed_ || flights_.find(key) != nullptr || failures_.is_recent(key, now))
            return false;
        const bool must_send = queued_.empty();
        // The tracked target may be newer than the entry.
        const TrackedSet::Record* record = tracked_.find(key);
        TargetPtr target = record != nullptr
                               ? record->target
                               : std::make_shared<const Target>(target_of(key, *entry));
        const bool entry_is_current = is_entry_for(*entry, *target);
        queued_.push_back(flights_.open(std::move(target), entry_is_current ? entry : nullptr));
        queue_failed_with(key, now);
        return must_send;
    }

    /// Removes and returns the flights that were queued since the last call.
    std::vector<FlightPtr> take_queued() { return std::exchange(queued_, {}); }

    /// Returns false if the waiter no longer waits.
    bool leave(const WaiterPtr& waiter) { return flights_.leave(waiter); }

    struct Settled {
        std::vector<WaiterPtr> waiters;
        /// The target was not invalidated or untracked during the fetch, nor the collector closed:
        /// the answer may be cached, or the failure remembered.
        bool current = false;
    };

    Settled settle(const FlightPtr& flight, const CacheEntryPtr& entry) {
        Settled settled{flights_.settle(flight), !flight->discarded && !closed_};
        if (settled.current) {
            failures_.forget(flight->key());
            tracked_.set_latest(flight->key(), entry);
        }
        return settled;
    }

    Settled settle(const FlightPtr& flight, const Error& error, TimePoint now) {
        Settled settled{flights_.settle(flight), !flight->discarded && !closed_};
        if (settled.current)
            failures_.remember(flight->key(), error, now,
                               saturating_add(now, config_.cache.negative_ttl));
        health_.last_error = error;
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
    /// entries the caller erases: nobody wants them any more. (`configure` only untracks, because
    /// targets above a lowered limit may still be requested.)
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
        Due due;
        tracked_.for_each([&](const TrackedSet::Record& record) {
            if (!record.in_background)
                return;
            CacheEntryPtr latest = current_entry(record);
            if (latest && latest->collected_at() > now - interval / 2 &&
                latest->fresh_until() >= next_round_completes)
                return;
            auto& flights =
                std::holds_alternative<OptimizerTarget>(*record.target) ? due.variants : due.models;
            if (FlightPtr flight = flights_.open_first(record.target, std::move(latest)))
                flights.push_back(std::move(flight));
        });
        return due;
    }

    /// Updates the health after all targets of a batch were settled; `settle` has set `last_error`.
    void note_batch(std::size_t targets, std::size_t failed, TimePoint now) {
        health_.healthy = failed < targets;
        if (health_.healthy) {
            health_.consecutive_failures = 0;
            health_.last_success = now;
        } else {
            ++health_.consecutive_failures;
        }
        if (failed > 0)
            health_.last_failure = now;
    }

    /// Empties the queue, discards all flights and returns their waiters. Idempotent.
    std::vector<WaiterPtr> close() {
        closed_ = true;
        queued_.clear();
        return flights_.take_all_waiters();
    }
    bool is_closed() const noexcept { return closed_; }

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
    /// gets one batch, where callers that ask for one target after the other would cost it a batch
    /// each.
    void queue_failed_with(const CacheKeyView& key, TimePoint now) {
        if (!failures_.contains(key))
            return;
        tracked_.for_each([&](const TrackedSet::Record& record) {
            const CacheKeyView other = key_of(*record.target);
            if (!record.in_background || !failures_.contains(other) ||
                failures_.is_recent(other, now))
                return;
            if (FlightPtr flight = flights_.open_first(record.target, current_entry(record)))
                queued_.push_back(std::move(flight));
        });
    }

    /// The latest entry of a tracked target, if it is about the target as it is now.
    static CacheEntryPtr current_entry(const TrackedSet::Record& record) {
        CacheEntryPtr latest = record.latest.lock();
        if (latest && !is_entry_for(*latest, *record.target))
            latest.reset();
        return latest;
    }

    template <typename Predicate>
    void forget_if(const Predicate& predicate) {
        flights_.discard_if(predicate);
        failures_.clear();
        tracked_.forget_latest_if(predicate);
    }
    Error too_many_waiters() const {
        return Error(Errc::unavailable, "too many callers wait for the backend already: " +
                                            std::to_string(config_.max_waiters) +
                                            " (CollectorConfig::max_waiters)");
    }

    CollectorConfig config_;
    FlightTable flights_;
    FailureMemory failures_;
    TrackedSet tracked_;
    std::vector<FlightPtr> queued_;
    CollectorHealth health_;
    bool closed_ = false;
};

} // namespace wva_metrics::detail
