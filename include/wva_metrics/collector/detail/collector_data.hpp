// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/attribution/known_workloads.hpp"
#include "wva_metrics/collector/detail/collector_counters.hpp"
#include "wva_metrics/collector/detail/coordinator.hpp"
#include "wva_metrics/collector/detail/hot_config.hpp"
#include "wva_metrics/collector/detail/insertion_fence.hpp"
#include "wva_metrics/collector/detail/notifier.hpp"
#include "wva_metrics/collector/detail/overdue_calls.hpp"
#include "wva_metrics/collector/detail/shared_executor.hpp"
#include "wva_metrics/concepts.hpp"
#include "wva_metrics/config.hpp"
#include "wva_metrics/detail/describe_exception.hpp"
#include "wva_metrics/observer/events.hpp"
#include "wva_metrics/observer/observer.hpp"
#include "wva_metrics/resilience/protection_listeners.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>
#include <variant>

namespace wva_metrics::detail {

/// The data of one collector, which `Lookup`, `Dispatcher` and `Background` share.
template <MetricsBackend Backend, MetricsCache CachePolicy, CollectorObserver Observer,
          typename Timer>
struct CollectorData {
    using BackendType = Backend;
    using TimerType = Timer;

    CollectorData(const asio::any_io_executor& on, Backend from, const CollectorConfig& config,
                  Observer observer)
        : backend(std::move(from)), cache(config.cache), notifier(std::move(observer)),
          hot_config(config.cache), executor(on), coordinator(config) {}

    /// The `CollectorImpl` that these data are part of. Set once, before anything starts.
    void set_owner(const std::shared_ptr<void>& impl) {
        owner = impl;
        if constexpr (ProtectedBackend<Backend>) {
            protection_listener = std::make_shared<const resilience::ProtectionListener>(
                [this, weak = owner](const resilience::ProtectionEvent& event) {
                    if (const auto alive = weak.lock())
                        notify(events::EndpointEvent{event});
                });
            backend.add_protection_listener(protection_listener);
        }
    }

    static TimePoint now() noexcept { return Timer::clock_type::now(); }

    /// Delivers an event to the observer. Never call it with the mutex held.
    void notify(const auto& event) noexcept { notifier.notify(event); }

    /// Calls the cache, which may be a user's own and may throw: what it does not do is done without
    /// it. Never call it with the mutex held.
    void with_cache(auto&& call) noexcept {
        try {
            call(cache);
        } catch (...) {
            counters.add(counters.cache_failures);
        }
    }

    std::size_t max_tracked() const {
        const std::lock_guard lock(mutex);
        return coordinator.config().max_tracked;
    }

    /// Counts and reports what became of a request to track. Never call it with the mutex held.
    void report_tracking(Tracking tracking, const CacheKeyView& key) {
        if (tracking == Tracking::begun) {
            notify(events::Tracked{key});
        } else if (tracking == Tracking::refused) {
            counters.add(counters.tracking_refused);
            notify(events::TrackingRefused{key, max_tracked()});
        }
    }

    ///@{
    /// A variant is fetched or tracked, or no longer. Does nothing for other targets.
    void remember_workload(const Target& target, TimePoint at) {
        if (const auto* optimizer = std::get_if<OptimizerTarget>(&target))
            known_workloads.remember({&optimizer->variant, 1}, at);
    }
    void forget_workload(const Target& target) {
        if (const auto* optimizer = std::get_if<OptimizerTarget>(&target))
            known_workloads.forget(optimizer->variant);
    }
    ///@}

    void report_stale_on_error(const CacheKeyView& key, const CacheEntry& entry, TimePoint at) {
        counters.add(counters.served_stale_on_error);
        notify(events::StaleOnError{key, entry.age(at)});
    }

    /// Completes a waiter with its last good value, or with the error if there is none.
    void complete_with_error(const CacheKeyView& key, const Error& error, Waiter& waiter,
                             TimePoint at) noexcept {
        if (waiter.last_good && !error.is(Errc::aborted)) {
            report_stale_on_error(key, *waiter.last_good, at);
            waiter.complete(Answer{waiter.last_good, Source::stale_on_error, copy_of(error)});
        } else {
            waiter.complete(copy_of(error));
        }
    }

    /// After the coordinator was closed: ends all flights, and calls `end` with each waiter without
    /// the mutex.
    template <typename End>
    void settle_all(const End& end) noexcept {
        const auto settle_any = [this] {
            const std::lock_guard lock(mutex);
            return coordinator.settle_any();
        };
        while (const auto waiters = settle_any())
            for (const WaiterPtr& waiter : *waiters)
                end(*waiter);
    }

    /// The `CollectorImpl` that these data are part of. Asynchronous work locks it, to keep it
    /// alive. Set once, before anything starts.
    std::weak_ptr<void> owner;
    /// Passes the events of the backend's servers on to the observer.
    std::shared_ptr<const resilience::ProtectionListener> protection_listener;

    // Thread-safe; used without the mutex.
    Backend backend;
    CachePolicy cache;
    Notifier<Observer> notifier;
    HotConfig hot_config;
    CollectorCounters counters;
    OverdueCalls overdue;
    /// The workloads of the variants that are tracked, collected, or given to attribute replicas to.
    KnownWorkloads known_workloads;
    SharedExecutor executor;
    /// Between insertions into the cache and removals from it.
    InsertionFence insertions;

    /// Held for map operations and for scans of what is tracked; never across I/O, a call of the
    /// cache, a callback or an attribution. Who reads from the cache does not wait for it. A mutex,
    /// not a strand, so that an invalidation from any thread has taken effect when it returns.
    mutable std::mutex mutex;
    /// Guarded by the mutex.
    Coordinator coordinator;
};

} // namespace wva_metrics::detail
