// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/cache/key_prefix.hpp"
#include "wva_metrics/collector/detail/background.hpp"
#include "wva_metrics/collector/detail/coarse_clock.hpp"
#include "wva_metrics/collector/detail/collector_data.hpp"
#include "wva_metrics/collector/detail/collector_destroyed.hpp"
#include "wva_metrics/collector/detail/diagnosis_calls.hpp"
#include "wva_metrics/collector/detail/dispatcher.hpp"
#include "wva_metrics/collector/detail/erase_variants.hpp"
#include "wva_metrics/collector/detail/handle_state.hpp"
#include "wva_metrics/collector/detail/lookup.hpp"
#include "wva_metrics/collector/detail/reader.hpp"
#include "wva_metrics/collector_stats.hpp"
#include "wva_metrics/concepts.hpp"
#include "wva_metrics/config.hpp"
#include "wva_metrics/detail/context_hook.hpp"
#include "wva_metrics/detail/join_problems.hpp"
#include "wva_metrics/observer/events.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/config.hpp>

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics::detail {

/// The object behind a `Collector`. Owned by the `Collector` and by running batches and rounds;
/// waiters refer to it weakly.
///
/// - `Reader` finds where an answer may be, by key or by handle,
/// - `Lookup` answers from there or lets a caller wait,
/// - `Dispatcher` sends flights to the backend and settles them,
/// - `Background` lets the dispatcher fetch in rounds,
/// - `Coordinator`, in the data, decides for all three.
template <MetricsBackend Backend, MetricsCache CachePolicy, CollectorObserver Observer,
          typename Timer>
class CollectorImpl {
    using Data = CollectorData<Backend, CachePolicy, Observer, Timer>;

public:
    using timer_type = Timer;

    static std::shared_ptr<CollectorImpl> make(const asio::any_io_executor& executor,
                                               Backend backend, const CollectorConfig& config,
                                               Observer observer) {
        auto impl = std::make_shared<CollectorImpl>(executor, std::move(backend), config,
                                                    std::move(observer));
        impl->data_.set_owner(impl);
        return impl;
    }
    /// Use `make`.
    CollectorImpl(const asio::any_io_executor& executor, Backend backend,
                  const CollectorConfig& config, Observer observer)
        : data_(executor, std::move(backend), config, std::move(observer)),
          hook_(executor, [this] { abandon(); }) {
        data_.notify(events::Configured{config});
    }

    Backend& backend() noexcept { return data_.backend; }
    CachePolicy& cache() noexcept { return data_.cache; }
    Observer& observer() noexcept { return data_.notifier.observer(); }
    Notifier<Observer>& notifier() noexcept { return data_.notifier; }
    const OverdueCalls& overdue() const noexcept { return data_.overdue; }
    KnownWorkloads& known_workloads() noexcept { return data_.known_workloads; }
    BOOST_FORCEINLINE FreshnessThresholds freshness_thresholds() const noexcept {
        return data_.hot_config.freshness_thresholds();
    }
    static TimePoint now() noexcept { return Timer::clock_type::now(); }
    /// The same clock, read more cheaply if that is exact enough. Only for `find_*`, where reading
    /// the clock would cost more than the look-up; in `async_*` completing the handler costs more.
    TimePoint lookup_time() const noexcept {
        return data_.hot_config.coarse_clock_ok() ? coarse_now<typename Timer::clock_type>()
                                                  : now();
    }
    /// Empty if the executor's context has been destroyed.
    asio::any_io_executor executor() const { return data_.executor.get(); }
    CollectorConfig config() const {
        const std::lock_guard lock(data_.mutex);
        return data_.coordinator.config();
    }

    /// Look-ups by key and by handle.
    Reader<Data>& reader() noexcept { return reader_; }
    void leave(const WaiterPtr& waiter) { lookup_.leave(waiter); }

    std::shared_ptr<const HandleState> handle(Target target) {
        return reader_.handle(std::move(target), config().max_handles);
    }

    /// `close` cancels it, also if that was called before.
    void add(const std::shared_ptr<DiagnosisCall<Timer>>& call) { diagnoses_.add(call); }

    bool track(Target target) {
        if (const auto reason = rejection_reason(target)) {
            data_.counters.add(data_.counters.tracking_refused);
            data_.notify(events::TrackingRefused{.key = key_of(target), .invalid_name = *reason});
            return false;
        }
        const auto shared = std::make_shared<const Target>(std::move(target));
        data_.remember_workload(*shared, now());
        Tracking tracking{};
        {
            const std::lock_guard lock(data_.mutex);
            if (data_.coordinator.is_closed())
                return false;
            tracking = data_.coordinator.track(shared, now());
        }
        data_.report_tracking(tracking, key_of(*shared));
        return tracking != Tracking::refused;
    }

    void untrack(const CacheKeyView& key) {
        bool is_known = false;
        {
            const std::lock_guard lock(data_.mutex);
            if (const TargetPtr target = data_.coordinator.known_target(key))
                data_.forget_workload(*target);
            is_known = data_.coordinator.untrack(key);
        }
        data_.insertions.wait();
        data_.cache.erase(key);
        if (is_known)
            data_.notify(events::Untracked{key, false});
    }

    /// Answers in flight do not bring the entries back.
    std::size_t invalidate(const std::vector<CacheKey>& keys) {
        {
            const std::lock_guard lock(data_.mutex);
            for (const CacheKey& key : keys)
                data_.coordinator.forget(key);
        }
        data_.insertions.wait();
        std::size_t erased = 0;
        for (const CacheKey& key : keys) {
            const bool was_cached = data_.cache.erase(key);
            erased += was_cached ? 1U : 0U;
            data_.notify(events::Invalidated{to_string(CacheKeyView(key)), was_cached ? 1U : 0U});
        }
        return erased;
    }

    std::size_t invalidate_prefix(std::string_view prefix) {
        {
            const std::lock_guard lock(data_.mutex);
            data_.coordinator.forget_prefix(prefix);
        }
        data_.insertions.wait();
        const std::size_t erased = data_.cache.erase_prefix(prefix);
        data_.notify(events::Invalidated{prefix, erased});
        return erased;
    }

    /// Its variants are found in the cache, because not all of them need be tracked.
    std::size_t invalidate_model(const ModelKey& model) {
        {
            const std::lock_guard lock(data_.mutex);
            data_.coordinator.forget_model(model);
        }
        const std::size_t erased =
            invalidate({CacheKey(replica_key(model)), CacheKey(availability_key(model))});
        const std::string variants = key_prefix(EntryKind::optimizer, model.namespace_name);
        const std::size_t erased_variants = erase_variants(data_.cache, model, variants);
        data_.notify(events::Invalidated{variants, erased_variants});
        return erased + erased_variants;
    }

    bool start_background() { return background_.start(); }
    void stop_background() { background_.stop(); }

    Result<void> reconfigure(const CollectorConfig& next) {
        if (const auto problems = validate(next); !problems.empty())
            return Error(Errc::invalid_config, join_problems(problems));
        std::vector<CacheKey> evicted;
        {
            const std::lock_guard one_at_a_time(reconfigure_mutex_);
            const CacheConfig before = config().cache;
            const bool has_new_limits = next.cache.max_entries != before.max_entries ||
                                        next.cache.max_bytes != before.max_bytes;
            if (has_new_limits && !ResizableCache<CachePolicy>)
                return Error(Errc::invalid_config,
                             "cache.max_entries and cache.max_bytes cannot be changed on a running "
                             "collector: its cache has no set_limits(CacheLimits)");
            evicted = apply(next);
            // Not under the data's mutex, because evicting many entries takes long.
            if constexpr (ResizableCache<CachePolicy>)
                if (has_new_limits)
                    data_.cache.set_limits(CacheLimits(next.cache));
        }
        for (const CacheKey& key : evicted)
            data_.notify(events::Untracked{key, true});
        data_.notify(events::Configured{next});
        return {};
    }

    /// Completes all waiters with `Errc::aborted` and cancels all batches.
    void close() noexcept {
        stop_background();
        {
            const std::lock_guard lock(data_.mutex);
            if (data_.coordinator.is_closed())
                return;
            data_.notifier.silence();
            data_.coordinator.close();
        }
        dispatcher_.cancel_all();
        diagnoses_.close();
        data_.settle_all([](Waiter& waiter) { waiter.complete(collector_destroyed()); });
    }

    CollectorStats stats() const {
        CollectorStats stats = data_.counters.read(data_.cache.stats());
        stats.observer_failures = data_.notifier.failures();
        stats.overdue_calls = data_.overdue.count();
        stats.handles = reader_.handles();
        const std::lock_guard lock(data_.mutex);
        data_.coordinator.add_to(stats);
        return stats;
    }

    CollectorHealth health() const {
        const std::lock_guard lock(data_.mutex);
        CollectorHealth health = data_.coordinator.health();
        health.background_running = background_.is_running();
        return health;
    }

private:
    /// Returns the keys that are no longer tracked.
    std::vector<CacheKey> apply(const CollectorConfig& next) {
        std::vector<CacheKey> evicted;
        bool is_disabled_now = false;
        {
            const std::lock_guard lock(data_.mutex);
            is_disabled_now = data_.coordinator.config().cache.enabled && !next.cache.enabled;
            if (is_disabled_now)
                data_.coordinator.forget_entries();
            data_.hot_config.store(next.cache);
            background_.change_intervals(next);
            evicted = data_.coordinator.configure(next);
        }
        // Later answers are not stored, so after re-enabling the cache would serve older ones.
        if (is_disabled_now) {
            data_.insertions.wait();
            data_.cache.clear();
        }
        return evicted;
    }

    /// The executor's context is being destroyed: drops everything that refers to it.
    void abandon() {
        // Destroyed without the mutex, because handlers may call back.
        std::shared_ptr<typename Background<Data>::Fetcher> fetcher;
        {
            const std::lock_guard lock(data_.mutex);
            data_.coordinator.close();
            fetcher = background_.release();
            data_.executor.release();
        }
        data_.settle_all([](Waiter& /*waiter*/) {});
    }

    Data data_;
    Dispatcher<Data> dispatcher_{data_};
    Lookup<Data> lookup_{data_, dispatcher_};
    Reader<Data> reader_{data_, lookup_};
    Background<Data> background_{data_, dispatcher_};
    DiagnosisCalls<Timer> diagnoses_;
    /// Held for a whole reconfiguration; the data's mutex only for its parts.
    std::mutex reconfigure_mutex_;
    /// The last member: destroyed first, so that `abandon` never runs on destroyed members.
    ContextHook hook_;
};

} // namespace wva_metrics::detail
