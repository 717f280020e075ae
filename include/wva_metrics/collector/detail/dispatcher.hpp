// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/collector/detail/batch.hpp"
#include "wva_metrics/collector/detail/coordinator.hpp"
#include "wva_metrics/collector/detail/overdue_calls.hpp"
#include "wva_metrics/collector/detail/posting.hpp"
#include "wva_metrics/collector/detail/settlement.hpp"
#include "wva_metrics/collector/detail/workload_refresh.hpp"
#include "wva_metrics/detail/describe_exception.hpp"
#include "wva_metrics/observer/events.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

namespace wva_metrics::detail {

/// Sends queued fetches, and rounds, to the backend.
///
/// `Data` is a `CollectorData`. Asynchronous work holds the data's owner, and so keeps this object
/// alive, until the work ends.
template <typename Data>
class Dispatcher {
public:
    explicit Dispatcher(Data& data) : data_(data) {}

    /// Sends the queue as soon as the executor runs it, and so batches everything queued before.
    /// Call with `CollectorData::mutex` held. If it throws, the next call sends what is queued now.
    void post_send() {
        if (!data_.executor.get() || !data_.coordinator.queue().must_send())
            return;
        asio::post(data_.executor.get(), [this, owner = data_.owner.lock()] { send_queued(); });
        data_.coordinator.queue().note_send_posted();
    }

    /// Fetches everything that is tracked and due: one batch of variants and one of models.
    ///
    /// Calls `ended` once, when both are answered; inside this call if nothing is due. If the
    /// collector is closed before both are sent, `ended` is not called, because then the background
    /// fetcher has been stopped. Nor if this throws, because memory is short; then nothing was sent.
    void run_round(std::function<void()> ended) {
        struct Round {
            std::atomic<int> open_batches{2};
            std::atomic<std::size_t> failed{0};
            std::size_t variants = 0;
            std::size_t models = 0;
        };
        const TimePoint started_at = data_.now();
        const auto round = std::make_shared<Round>();
        const OnSettled on_settled = [this, owner = data_.owner.lock(), started_at, round,
                                      ended = std::move(ended)](std::size_t failed) {
            round->failed += failed;
            if (--round->open_batches > 0)
                return;
            data_.counters.add(data_.counters.background_rounds);
            data_.notify(events::RoundEnded{round->variants, round->models, round->failed,
                                            data_.now() - started_at});
            ended();
        };
        evict_idle(started_at);
        Coordinator::Due due;
        {
            const std::lock_guard lock(data_.mutex);
            due = data_.coordinator.open_due(started_at);
            succeeds_in_three([&] { post_send(); }); // What could not be posted before.
        }
        round->variants = due.variants.size();
        round->models = due.models.size();
        send(due.variants, Origin::background, on_settled);
        send(due.models, Origin::background, on_settled);
    }

    /// Cancels everything that was sent. Call after the coordinator was closed, without the mutex.
    void cancel_all() noexcept {
        std::vector<std::weak_ptr<BatchType>> batches;
        {
            const std::lock_guard lock(data_.mutex);
            batches.swap(batches_);
        }
        for (const std::weak_ptr<BatchType>& weak : batches)
            if (const auto batch = weak.lock())
                batch->cancel();
    }

private:
    using Backend = typename Data::BackendType;
    using BatchType = Batch<typename Data::TimerType>;
    using OnSettled = typename Settlement<Data>::OnSettled;

    void evict_idle(TimePoint at) {
        std::vector<CacheKey> evicted;
        {
            const std::lock_guard lock(data_.mutex);
            evicted = data_.coordinator.evict_idle(at);
        }
        if (!evicted.empty())
            data_.insertions.wait();
        for (const CacheKey& key : evicted) {
            data_.with_cache([&](auto& cache) { cache.erase(key); });
            data_.notify(events::Untracked{key, true});
        }
    }

    void send_queued() noexcept {
        std::vector<FlightPtr> queued;
        std::vector<FlightPtr> overdue;
        {
            const std::lock_guard lock(data_.mutex);
            queued = data_.coordinator.queue().take();
            overdue = data_.coordinator.queue().take_overdue();
        }
        for (const FlightPtr& flight : overdue)
            settlement_.give_up(flight);
        try {
            send_by_kind(queued);
        } catch (...) {
            settlement_.fail(queued, Origin::caller,
                             describe_exception(std::current_exception(), "the collector"));
        }
    }

    void send_by_kind(const std::vector<FlightPtr>& queued) {
        std::vector<FlightPtr> variants;
        std::vector<FlightPtr> models;
        std::vector<std::vector<FlightPtr>> others;
        for (const FlightPtr& flight : queued) {
            if (std::holds_alternative<OptimizerTarget>(*flight->target))
                variants.push_back(flight);
            else if (std::holds_alternative<ReplicaTarget>(*flight->target))
                models.push_back(flight);
            else // Backends check one model at a time; separate batches run concurrently.
                others.push_back({flight});
        }
        for (const std::vector<FlightPtr>& one : others)
            send(one, Origin::caller);
        send(variants, Origin::caller);
        send(models, Origin::caller);
    }

    /// Sends flights of one kind as one batch. Sends nothing if the collector is closed: then all
    /// waiters have been completed, and `on_settled` is not called.
    void send(const std::vector<FlightPtr>& flights, Origin origin,
              const OnSettled& on_settled = nullptr) noexcept {
        if (flights.empty()) {
            if (on_settled)
                on_settled(0);
            return;
        }
        try {
            send_batch(flights, origin, on_settled);
        } catch (...) {
            settlement_.fail(flights, origin,
                             describe_exception(std::current_exception(), "the collector"));
            if (on_settled)
                on_settled(flights.size());
        }
    }

    /// If it throws, nothing was sent.
    void send_batch(const std::vector<FlightPtr>& flights, Origin origin,
                    const OnSettled& on_settled) {
        const TimePoint sent_at = data_.now();
        const std::size_t targets = flights.size();
        remember_workloads(flights, origin, sent_at);
        std::shared_ptr<BatchType> batch;
        Duration timeout{};
        std::optional<Error> refusal;
        {
            const std::lock_guard lock(data_.mutex);
            if (data_.coordinator.is_closed())
                return;
            timeout = data_.coordinator.config().call_timeout;
            refusal = data_.overdue.refusal(data_.coordinator.config().max_overdue_calls);
            if (!refusal) {
                batch = std::make_shared<BatchType>(data_.executor.get(), flights, origin,
                                                    data_.overdue);
                std::erase_if(batches_, [](const auto& weak) { return weak.expired(); });
                batches_.push_back(batch);
                const std::shared_ptr<OverdueCalls::Call> call = batch->call();
                for (const FlightPtr& flight : flights)
                    flight->call = call;
            }
        }
        if (refusal) {
            data_.counters.add(data_.counters.refused_batches);
            data_.notify(
                events::BatchRefused{kind_of(*flights.front()->target), targets, *refusal});
            settlement_.fail(flights, origin, *refusal);
            if (on_settled)
                on_settled(targets);
            return;
        }
        data_.counters.add(data_.counters.batches);
        data_.counters.add(data_.counters.targets, targets);
        data_.notify(events::FetchStarted{batch->kind(), targets, batch->is_background()});
        try {
            run(*batch, timeout, sent_at, on_settled);
        } catch (...) {
            settlement_.settle(*batch,
                               describe_exception(std::current_exception(), "the collector"),
                               sent_at, on_settled);
        }
    }

    void remember_workloads(const std::vector<FlightPtr>& flights, Origin origin, TimePoint at) {
        if (kind_of(*flights.front()->target) != EntryKind::optimizer)
            return;
        if (origin == Origin::background) {
            const std::lock_guard lock(data_.mutex);
            if (!workload_refresh_.begin_if_due(at, data_.known_workloads.changes()))
                return;
        }
        for (const FlightPtr& flight : flights)
            data_.remember_workload(*flight->target, at);
    }

    void run(BatchType& batch, Duration timeout, TimePoint sent_at, const OnSettled& on_settled) {
        const std::shared_ptr<void> owner = data_.owner.lock();
        // Points to the backend and shares ownership of the owner, which contains it.
        std::shared_ptr<Backend> backend(owner, &data_.backend);
        batch.run(
            std::move(backend), timeout,
            [this, owner, sent_at, on_settled](const BatchType& answered, BatchAnswers answers) {
                settlement_.settle(answered, std::move(answers), sent_at, on_settled);
            });
    }

    Data& data_;
    Settlement<Data> settlement_{data_};
    ///@{
    /// Guarded by `CollectorData::mutex`.
    std::vector<std::weak_ptr<BatchType>> batches_;
    WorkloadRefresh workload_refresh_;
    ///@}
};

} // namespace wva_metrics::detail
