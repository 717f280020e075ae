// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/collector/detail/batch.hpp"
#include "wva_metrics/collector/detail/coarse_clock.hpp"
#include "wva_metrics/collector/detail/collector_counters.hpp"
#include "wva_metrics/collector/detail/coordinator.hpp"
#include "wva_metrics/collector/detail/entry_factory.hpp"
#include "wva_metrics/collector/detail/hot_config.hpp"
#include "wva_metrics/concepts.hpp"
#include "wva_metrics/config.hpp"
#include "wva_metrics/observer/observer.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/post.hpp>

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace wva_metrics::detail {

/// What a collector holds, and the road of its targets to the backend and of the answers back to
/// the cache and to those who wait.
///
/// What follows an event is decided by `Coordinator`, under one mutex that is held for a few map
/// operations and never across I/O, a callback or a join. A mutex rather than a strand, so that an
/// invalidation from any thread has taken effect when it returns.
template <MetricsBackend Backend, MetricsCache CachePolicy, CollectorObserver Observer,
          typename Timer>
class CollectorCore
    : public std::enable_shared_from_this<CollectorCore<Backend, CachePolicy, Observer, Timer>> {
public:
    CollectorCore(const asio::any_io_executor& executor, Backend backend, CollectorConfig config,
                  Observer observer)
        : config_(std::move(config)), backend_(std::move(backend)), cache_(config_.cache),
          observer_(std::move(observer)), settings_(config_.cache), executor_(executor),
          books_(config_) {}

    CollectorConfig config() const {
        const std::lock_guard lock(mutex_);
        return config_;
    }
    /// What of the configuration is read without the mutex.
    const HotConfig& settings() const noexcept { return settings_; }
    Backend& backend() noexcept { return backend_; }
    CachePolicy& cache() noexcept { return cache_; }
    Observer& observer() noexcept { return observer_; }
    static TimePoint now() noexcept { return Timer::clock_type::now(); }
    /// For look-ups: the same clock, read more cheaply where that will do.
    TimePoint lookup_time() const noexcept {
        return settings_.coarse_time_will_do() ? coarse_now<typename Timer::clock_type>() : now();
    }

    /// Empty where the executor's context has been destroyed.
    asio::any_io_executor executor() const {
        const std::lock_guard lock(mutex_);
        return executor_;
    }

    /// Delivers an event; what the observer throws is counted and dropped. Never called with the
    /// mutex held, and does nothing once the collector has been destroyed.
    template <typename OneEvent>
    void notify(const OneEvent& event) noexcept {
        if (is_silent_.load(std::memory_order_acquire))
            return;
        try {
            deliver(observer_, event);
        } catch (...) {
            counters_.add(counters_.observer_failures);
        }
    }

protected:
    using BatchType = Batch<Timer>;

    /// What ends from now on has nobody to tell: the observer may refer to what is gone.
    void silence() noexcept { is_silent_.store(true, std::memory_order_release); }

    void note_stale_on_error(const CacheKeyView& key, const CacheEntry& entry, TimePoint at) {
        counters_.add(counters_.served_stale_on_error);
        notify(events::StaleOnError{key, entry.age(at)});
    }

    /// Gives the last good value where there is one, else the error.
    void fail(const CacheKeyView& key, const Error& error, Waiter& waiter, TimePoint at) {
        if (waiter.last_good && !error.is(Errc::aborted)) {
            note_stale_on_error(key, *waiter.last_good, at);
            waiter.complete(Answer{waiter.last_good, Source::stale_on_error});
        } else {
            waiter.complete(error);
        }
    }

    /// What is queued before the executor comes round to it is sent together.
    void post_sending() {
        asio::post(executor_, [self = this->shared_from_this()] { self->send_queued(); });
    }

    void send_queued() {
        std::vector<FlightPtr> queued;
        {
            const std::lock_guard lock(mutex_);
            queued = books_.take_queued();
        }
        std::vector<FlightPtr> variants;
        std::vector<FlightPtr> models;
        for (FlightPtr& flight : queued) {
            const EntryKind kind = flight->kind;
            if (kind == EntryKind::availability)
                send(kind, {std::move(flight)}, false, {});
            else
                (kind == EntryKind::optimizer ? variants : models).push_back(std::move(flight));
        }
        send(EntryKind::optimizer, std::move(variants), false, {});
        send(EntryKind::replica, std::move(models), false, {});
    }

    /// Sends a batch; `settled` is told how many of its targets failed.
    void send(EntryKind kind, std::vector<FlightPtr> flights, bool background,
              std::function<void(std::size_t)> settled) {
        if (flights.empty()) {
            if (settled)
                settled(0);
            return;
        }
        const TimePoint asked_at = now();
        std::shared_ptr<BatchType> batch;
        Duration timeout{};
        {
            const std::lock_guard lock(mutex_);
            timeout = config_.call_timeout;
            if (books_.is_closed())
                return; // Nobody waits any more.
            batch = std::make_shared<BatchType>(executor_, kind, std::move(flights), background);
            std::erase_if(batches_, [](const auto& weak) { return weak.expired(); });
            batches_.push_back(batch);
        }
        const std::size_t targets = batch->flights().size();
        counters_.add(counters_.batches);
        counters_.add(counters_.targets, targets);
        notify(events::FetchStarted{kind, targets, background});
        const auto self = this->shared_from_this();
        // Not the batch itself: it holds this function until it has answered.
        const std::weak_ptr<BatchType> weak = batch;
        batch->run(std::shared_ptr<Backend>(self, &backend_), asked_at + timeout, timeout,
                   [self, weak, asked_at, settled = std::move(settled)](BatchAnswers answers) {
                       if (const auto answered = weak.lock())
                           self->settle(*answered, std::move(answers), asked_at, settled);
                   });
    }

    void settle(const BatchType& batch, BatchAnswers answers, TimePoint asked_at,
                const std::function<void(std::size_t)>& settled) {
        const TimePoint at = now();
        const std::size_t targets = batch.flights().size();
        const CacheConfig config = this->config().cache;
        std::size_t failed = 0;
        const auto settle_one = [&](const FlightPtr& flight, auto&& answer) {
            if (answer.has_error()) {
                ++failed;
                settle_failure(flight, answer.error(), batch.background(), at);
            } else {
                settle_answer(flight, *std::move(answer), asked_at, config);
            }
        };
        std::visit(
            [&]<typename T>(T& given) {
                for (std::size_t i = 0; i < targets; ++i) {
                    if constexpr (std::is_same_v<T, Error>)
                        settle_one(batch.flights()[i], Result<CachePayload>(given));
                    else
                        settle_one(batch.flights()[i], std::move(given[i]));
                }
            },
            answers);
        counters_.add(counters_.failed_targets, failed);
        {
            const std::lock_guard lock(mutex_);
            books_.note_batch(targets, failed, at);
        }
        notify(
            events::FetchEnded{batch.kind(), targets, failed, at - asked_at, batch.background()});
        if (settled)
            settled(failed);
    }

    void settle_answer(const FlightPtr& flight, CachePayload&& payload, TimePoint asked_at,
                       const CacheConfig& config) {
        const CacheKeyView key = flight->key();
        identify(*flight->target, payload);
        if (flight->previous)
            keep_known(*flight->previous, payload, oldest_carried(config, asked_at));
        const CacheEntryPtr entry = make_entry(config, std::move(payload), asked_at);
        Coordinator::Settled settled;
        {
            const std::lock_guard lock(mutex_);
            settled = books_.settle(flight, entry);
            if (settled.is_wanted && config_.cache.enabled)
                cache_.insert_or_assign(key, entry);
        }
        if (!settled.is_wanted) {
            counters_.add(counters_.discarded);
            notify(events::Discarded{key});
        }
        if (const auto* warnings = warnings_of(*entry); warnings != nullptr && !warnings->empty())
            notify(events::Warnings{key, *warnings});
        for (const WaiterPtr& waiter : settled.waiters)
            waiter->complete(Answer{entry, Source::backend});
    }

    void settle_failure(const FlightPtr& flight, const Error& error, bool background,
                        TimePoint at) {
        const CacheKeyView key = flight->key();
        Coordinator::Settled settled;
        {
            const std::lock_guard lock(mutex_);
            settled = books_.settle(flight, error, at);
        }
        const bool serving_stale = flight->previous != nullptr;
        notify(events::TargetFailed{key, error, serving_stale, background});
        for (const WaiterPtr& waiter : settled.waiters)
            fail(key, error, *waiter, at);
    }

    /// Fetches what is tracked and due, in one batch of variants and one of models.
    void run_round(std::function<void()> ended) {
        const TimePoint at = now();
        std::vector<CacheKey> idle;
        Coordinator::Due due;
        {
            const std::lock_guard lock(mutex_);
            idle = books_.take_idle(at);
            for (const CacheKey& key : idle)
                cache_.erase(key);
            due = books_.open_due(at);
        }
        for (const CacheKey& key : idle)
            notify(events::Untracked{key, true});
        struct Round {
            std::atomic<int> open_batches{2};
            std::atomic<std::size_t> failed{0};
        };
        const auto settled = [self = this->shared_from_this(), at,
                              round = std::make_shared<Round>(), variants = due.variants.size(),
                              models = due.models.size(),
                              ended = std::move(ended)](std::size_t failed) {
            round->failed += failed;
            if (--round->open_batches > 0)
                return;
            self->counters_.add(self->counters_.background_rounds);
            self->notify(events::RoundEnded{variants, models, round->failed, now() - at});
            ended();
        };
        send(EntryKind::optimizer, std::move(due.variants), true, settled);
        send(EntryKind::replica, std::move(due.models), true, settled);
    }

    /// Guarded by the mutex.
    CollectorConfig config_;
    Backend backend_;
    CachePolicy cache_;
    Observer observer_;
    std::atomic<bool> is_silent_{false};
    HotConfig settings_;
    CollectorCounters counters_;

    mutable std::mutex mutex_;
    asio::any_io_executor executor_;
    Coordinator books_;
    std::vector<std::weak_ptr<BatchType>> batches_;
};

} // namespace wva_metrics::detail
