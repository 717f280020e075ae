// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/cache/key_prefix.hpp"
#include "wva_metrics/collector/detail/entry_factory.hpp"
#include "wva_metrics/collector/detail/failure_memory.hpp"
#include "wva_metrics/collector/detail/flight_table.hpp"
#include "wva_metrics/collector/detail/tracked_workloads.hpp"
#include "wva_metrics/collector_stats.hpp"
#include "wva_metrics/config.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics::detail {

/// What a collector knows beside its cache: what is under way, what failed, what is tracked, how
/// the backend does. It decides what follows an event and does none of it.
///
/// No I/O, no clock, no lock: the collector tells the time and guards it with its mutex.
class Coordinator {
public:
    explicit Coordinator(const CollectorConfig& config)
        : config_(config), failures_(config.cache.max_entries), tracked_(config.max_tracked) {}

    /// What follows a miss.
    struct Miss {
        /// The waiter does not wait: this is its error, unless it has a last good value.
        std::optional<Error> refused;
        /// The error is one remembered from a recent failure.
        bool is_remembered = false;
        bool joined = false;
        bool newly_tracked = false;
        /// The queue has just become non-empty: somebody must send it.
        bool must_send = false;
    };

    Miss miss(const CacheKeyView& key, Target target, const WaiterPtr& waiter, TimePoint at) {
        Miss result;
        if (closed_) {
            result.refused.emplace(Errc::aborted, "the collector has been destroyed");
            return result;
        }
        if (flights_.waiting() >= config_.max_waiters) {
            note_asked(key, at);
            result.refused.emplace(Errc::too_costly,
                                   "too many callers wait for the backend already: " +
                                       std::to_string(config_.max_waiters) +
                                       " (CollectorConfig::max_waiters)");
            return result;
        }
        const auto asked = std::make_shared<const Target>(std::move(target));
        result.newly_tracked = tracked_.track(key, asked, config_.track_on_collection, at);
        if (const Error* failure = recent_failure(key, at)) {
            result.is_remembered = true;
            result.refused = *failure;
            return result;
        }
        FlightPtr flight = flights_.find(key);
        result.joined = flight != nullptr && same_target(*flight->target, *asked);
        if (!result.joined) {
            result.must_send = queued_.empty();
            flight = flights_.open(key.kind, asked, waiter->last_good);
            queued_.push_back(flight);
        }
        flights_.join(flight, waiter);
        return result;
    }

    /// Somebody looked for it and there was nothing, not even an entry to leave a mark on.
    void note_asked(const CacheKeyView& key, TimePoint at) { tracked_.note_asked(key, at); }

    /// Queues a renewal of a stale entry, unless one is under way or has just failed. True where
    /// somebody must send it.
    bool renew(const CacheKeyView& key, const CacheEntryPtr& entry, TimePoint at) {
        if (closed_ || flights_.find(key) != nullptr || recent_failure(key, at) != nullptr)
            return false;
        const bool must_send = queued_.empty();
        // What is tracked may have changed since the entry was made.
        TargetPtr target = tracked_.target(key);
        if (!target)
            target = std::make_shared<const Target>(target_of(key, *entry));
        const bool is_its_own = answers(*entry, *target);
        queued_.push_back(flights_.open(key.kind, std::move(target), is_its_own ? entry : nullptr));
        return must_send;
    }

    /// What was queued since the last time, to be sent together.
    std::vector<FlightPtr> take_queued() { return std::exchange(queued_, {}); }

    /// False where the waiter no longer waits.
    bool leave(const WaiterPtr& waiter) { return flights_.leave(waiter); }

    struct Settled {
        std::vector<WaiterPtr> waiters;
        /// The answer belongs into the cache: it was not invalidated or untracked meanwhile.
        bool is_wanted = false;
    };

    Settled settle(const FlightPtr& flight, const CacheEntryPtr& entry) {
        Settled settled{flights_.settle(flight), !flight->discarded && !closed_};
        if (settled.is_wanted) {
            failures_.forget(flight->key());
            tracked_.set_latest(flight->key(), entry);
        }
        return settled;
    }

    Settled settle(const FlightPtr& flight, const Error& error, TimePoint at) {
        Settled settled{flights_.settle(flight), !flight->discarded && !closed_};
        if (settled.is_wanted)
            failures_.remember(flight->key(), error, at + config_.cache.negative_ttl);
        health_.last_error = error;
        return settled;
    }

    /// Whether the last attempt failed, however long ago.
    bool has_failed(const CacheKeyView& key) const { return failures_.find(key) != nullptr; }

    /// True where background fetching of it begins with this.
    bool track(const CacheKeyView& key, const Target& target, TimePoint at) {
        return !closed_ && tracked_.track(key, std::make_shared<const Target>(target), true, at);
    }
    /// False where it was not known.
    bool untrack(const CacheKeyView& key) {
        forget(key);
        return tracked_.untrack(key);
    }

    /// What is under way for this key is not to be cached, what failed may be asked again, and what
    /// was collected is not known any more, though somebody may still hold it.
    void forget(const CacheKeyView& key) {
        flights_.discard(key);
        failures_.forget(key);
        tracked_.set_latest(key, nullptr);
    }
    void forget_prefix(std::string_view prefix) {
        flights_.discard_if([&](const CacheKeyView& key) { return starts_with(key, prefix); });
        failures_.clear();
        tracked_.forget_latest(prefix);
    }

    /// The cache has been emptied.
    void forget_entries() { tracked_.forget_latest({}); }

    void append_variants_of(const ModelKey& model, std::vector<CacheKey>& keys) const {
        tracked_.append_variants_of(model, keys);
    }

    /// Untracks and returns what nobody has asked for in `untrack_after`.
    std::vector<CacheKey> take_idle(TimePoint at) {
        std::vector<CacheKey> idle = tracked_.take_idle(at, config_.untrack_after);
        for (const CacheKey& key : idle)
            forget(key);
        return idle;
    }

    struct Due {
        std::vector<FlightPtr> variants;
        std::vector<FlightPtr> models;
    };

    /// Opens flights for what is tracked, but for what somebody collected in the last half of an
    /// interval and that will not expire before the answer of the next round is there.
    Due open_due(TimePoint at) {
        Due due;
        const Duration interval = effective_fetch_interval(config_);
        tracked_.for_each_due(at - interval / 2, at + interval + config_.call_timeout,
                              [&](EntryKind kind, const TargetPtr& target, CacheEntryPtr latest) {
                                  if (FlightPtr flight =
                                          flights_.open_first(kind, target, std::move(latest)))
                                      (kind == EntryKind::optimizer ? due.variants : due.models)
                                          .push_back(std::move(flight));
                              });
        return due;
    }

    /// The configuration has been changed. Untracks and returns what is more than it allows.
    std::vector<CacheKey> fit_to_config() {
        failures_.set_max_failures(config_.cache.max_entries);
        return tracked_.set_max_each(config_.max_tracked);
    }

    /// A batch has been answered.
    void note_batch(std::size_t targets, std::size_t failed, TimePoint at) {
        health_.healthy = failed < targets;
        if (health_.healthy) {
            health_.consecutive_failures = 0;
            health_.last_success = at;
        } else {
            ++health_.consecutive_failures;
        }
        if (failed > 0)
            health_.last_failure = at;
    }

    /// Ends everything and hands over who waits. Empty the second time.
    std::vector<WaiterPtr> close() {
        closed_ = true;
        queued_.clear();
        return flights_.take_all_waiters();
    }
    bool is_closed() const noexcept { return closed_; }

    void fill(CollectorStats& stats) const {
        stats.tracked_variants = tracked_.variants_in_background();
        stats.tracked_models = tracked_.models_in_background();
        stats.in_flight = flights_.in_flight();
    }
    const CollectorHealth& health() const noexcept { return health_; }

private:
    const Error* recent_failure(const CacheKeyView& key, TimePoint at) const {
        const FailureMemory::Failure* failure = failures_.find(key);
        return failure != nullptr && at < failure->ask_again_at ? &failure->error : nullptr;
    }

    /// The collector's own; changes only under its mutex.
    const CollectorConfig& config_;
    FlightTable flights_;
    FailureMemory failures_;
    TrackedWorkloads tracked_;
    std::vector<FlightPtr> queued_;
    CollectorHealth health_;
    bool closed_ = false;
};

} // namespace wva_metrics::detail
