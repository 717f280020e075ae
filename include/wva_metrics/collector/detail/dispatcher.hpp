// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/collector/detail/batch.hpp"
#include "wva_metrics/collector/detail/coordinator.hpp"
#include "wva_metrics/collector/detail/describe_exception.hpp"
#include "wva_metrics/collector/detail/entry_factory.hpp"
#include "wva_metrics/collector/detail/insertion_fence.hpp"
#include "wva_metrics/collector/detail/negative_verdict.hpp"
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

/// Sends queued fetches to the backend; stores results in the cache and completes the waiters.
///
/// `Data` is a `CollectorData`. Asynchronous work holds the data's owner, and so keeps this object
/// alive, until the work ends.
template <typename Data>
class Dispatcher {
public:
    explicit Dispatcher(Data& data) : data_(data) {}

    /// Sends the queue as soon as the executor runs it, and so batches everything queued before.
    /// Call with `CollectorData::mutex` held.
    void post_send() {
        asio::post(data_.executor.get(), [this, owner = data_.owner.lock()] { send_queued(); });
    }

    /// Fetches everything that is tracked and due: one batch of variants and one of models.
    ///
    /// Calls `ended` once, when both are answered; inside this call if nothing is due. If the
    /// collector is closed before both are sent, `ended` is not called, because then the background
    /// fetcher has been stopped.
    void run_round(std::function<void()> ended) {
        const TimePoint started_at = data_.now();
        std::vector<CacheKey> evicted;
        Coordinator::Due due;
        {
            const std::lock_guard lock(data_.mutex);
            evicted = data_.coordinator.evict_idle(started_at);
            due = data_.coordinator.open_due(started_at);
        }
        if (!evicted.empty())
            data_.insertions.wait();
        for (const CacheKey& key : evicted) {
            data_.with_cache([&](auto& cache) { cache.erase(key); });
            data_.notify(events::Untracked{key, true});
        }
        struct Round {
            std::atomic<int> open_batches{2};
            std::atomic<std::size_t> failed{0};
        };
        const auto on_settled = [this, owner = data_.owner.lock(), started_at,
                                 round = std::make_shared<Round>(), variants = due.variants.size(),
                                 models = due.models.size(),
                                 ended = std::move(ended)](std::size_t failed) {
            round->failed += failed;
            if (--round->open_batches > 0)
                return;
            data_.counters.add(data_.counters.background_rounds);
            data_.notify(
                events::RoundEnded{variants, models, round->failed, data_.now() - started_at});
            ended();
        };
        send(std::move(due.variants), Origin::background, on_settled);
        send(std::move(due.models), Origin::background, on_settled);
    }

    /// Cancels everything that was sent. Call with `CollectorData::mutex` held.
    void cancel_all() {
        for (const std::weak_ptr<BatchType>& weak : batches_)
            if (const auto batch = weak.lock())
                batch->cancel();
    }

private:
    using Backend = typename Data::BackendType;
    using BatchType = Batch<typename Data::TimerType>;
    /// Receives the number of targets that failed. May be empty.
    using OnSettled = std::function<void(std::size_t)>;

    void send_queued() {
        std::vector<FlightPtr> queued;
        {
            const std::lock_guard lock(data_.mutex);
            queued = data_.coordinator.take_queued();
        }
        std::vector<FlightPtr> variants;
        std::vector<FlightPtr> models;
        for (FlightPtr& flight : queued) {
            if (std::holds_alternative<OptimizerTarget>(*flight->target))
                variants.push_back(std::move(flight));
            else if (std::holds_alternative<ReplicaTarget>(*flight->target))
                models.push_back(std::move(flight));
            else // Backends check one model at a time; separate batches run concurrently.
                send({flight}, Origin::caller);
        }
        send(std::move(variants), Origin::caller);
        send(std::move(models), Origin::caller);
    }

    /// Sends flights of one kind as one batch. Sends nothing if the collector is closed: then all
    /// waiters have been completed, and `on_settled` is not called.
    void send(std::vector<FlightPtr> flights, Origin origin, OnSettled on_settled = nullptr) {
        if (flights.empty()) {
            if (on_settled)
                on_settled(0);
            return;
        }
        const TimePoint sent_at = data_.now();
        const std::size_t targets = flights.size();
        for (const FlightPtr& flight : flights)
            data_.remember_workload(*flight->target, sent_at);
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
            }
        }
        if (refusal) {
            refuse(flights, origin, *refusal, sent_at);
            if (on_settled)
                on_settled(targets);
            return;
        }
        data_.counters.add(data_.counters.batches);
        data_.counters.add(data_.counters.targets, targets);
        data_.notify(events::FetchStarted{batch->kind(), targets, batch->is_background()});
        const std::shared_ptr<void> owner = data_.owner.lock();
        // Points to the backend and shares ownership of the owner, which contains it.
        std::shared_ptr<Backend> backend(owner, &data_.backend);
        batch->run(std::move(backend), timeout,
                   [this, owner, sent_at, on_settled = std::move(on_settled)](
                       const BatchType& answered, BatchAnswers answers) {
                       settle(answered, std::move(answers), sent_at, on_settled);
                   });
    }

    /// Settles flights that the backend is not called for.
    void refuse(const std::vector<FlightPtr>& flights, Origin origin, const Error& error,
                TimePoint at) {
        data_.counters.add(data_.counters.refused_batches);
        data_.counters.add(data_.counters.failed_targets, flights.size());
        data_.notify(
            events::BatchRefused{kind_of(*flights.front()->target), flights.size(), error});
        for (const FlightPtr& flight : flights)
            settle_failure(flight, error, origin == Origin::background, at);
        const std::lock_guard lock(data_.mutex);
        data_.coordinator.note_batch(flights.size(), flights.size(), at);
    }

    /// Settles each flight of a batch with its answer.
    void settle(const BatchType& batch, BatchAnswers answers, TimePoint sent_at,
                const OnSettled& on_settled) {
        const TimePoint at = data_.now();
        const std::size_t targets = batch.flights().size();
        const CacheConfig config = cache_config();
        std::size_t failed = 0;
        for (std::size_t i = 0; i < targets; ++i) {
            const FlightPtr& flight = batch.flights()[i];
            const Result<CacheEntryPtr> entry = result_or_exception(
                [&] { return make_entry_of(flight, std::move(answers[i]), sent_at, config); },
                "what prepares an answer for the cache");
            if (entry.has_error()) {
                ++failed;
                settle_failure(flight, entry.error(), batch.is_background(), at);
            } else {
                settle_answer(flight, *entry);
            }
        }
        data_.counters.add(data_.counters.failed_targets, failed);
        {
            const std::lock_guard lock(data_.mutex);
            data_.coordinator.note_batch(targets, failed, at);
        }
        data_.notify(
            events::FetchEnded{batch.kind(), targets, failed, at - sent_at, batch.is_background()});
        if (on_settled)
            on_settled(failed);
    }

    Result<CacheEntryPtr> make_entry_of(const FlightPtr& flight, Result<CachePayload> answer,
                                        TimePoint sent_at, const CacheConfig& config) {
        if (answer.has_error())
            return std::move(answer).error();
        CachePayload& payload = *answer;
        stamp_identity(*flight->target, payload);
        if (const std::uint64_t ahead = count_ahead(payload, data_.now()); ahead > 0)
            data_.counters.add(data_.counters.samples_ahead, ahead);
        if (is_empty_answer(payload))
            data_.counters.add(data_.counters.empty_answers);
        if (flight->previous)
            carry_over_missing(*flight->previous, payload, oldest_carried(config, sent_at));
        return make_entry(config, std::move(payload), sent_at,
                          attribution_budget(data_.cache, flight->key()));
    }

    void settle_answer(const FlightPtr& flight, const CacheEntryPtr& entry) {
        const CacheKeyView key = flight->key();
        Coordinator::Settled settled;
        {
            const InsertionFence::Insertion insertion(data_.insertions);
            bool is_cached = false;
            {
                const std::lock_guard lock(data_.mutex);
                settled = data_.coordinator.settle(flight, entry);
                is_cached = settled.current && data_.coordinator.config().cache.enabled;
            }
            if (is_cached)
                data_.with_cache([&](auto& cache) { cache.insert_or_assign(key, entry); });
        }
        if (!settled.current) {
            data_.counters.add(data_.counters.discarded);
            data_.notify(events::Discarded{key});
        }
        if (const auto* warnings = warnings_of(*entry); warnings != nullptr && !warnings->empty())
            data_.notify(events::Warnings{key, *warnings});
        for (const WaiterPtr& waiter : settled.waiters)
            waiter->complete(Answer{entry, Source::backend});
    }

    void settle_failure(const FlightPtr& flight, const Error& error, bool is_background,
                        TimePoint at) {
        const CacheKeyView key = flight->key();
        Coordinator::Settled settled;
        {
            const std::lock_guard lock(data_.mutex);
            settled = data_.coordinator.settle(flight, error, at);
        }
        const bool has_earlier_value =
            flight->previous != nullptr && !is_negative_verdict(*flight->previous);
        data_.notify(events::TargetFailed{key, error, has_earlier_value, is_background});
        for (const WaiterPtr& waiter : settled.waiters)
            data_.complete_with_error(key, error, *waiter, at);
    }

    CacheConfig cache_config() const {
        const std::lock_guard lock(data_.mutex);
        return data_.coordinator.config().cache;
    }

    Data& data_;
    /// Guarded by `CollectorData::mutex`.
    std::vector<std::weak_ptr<BatchType>> batches_;
};

} // namespace wva_metrics::detail
