// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/collector/detail/batch.hpp"
#include "wva_metrics/collector/detail/batch_answers.hpp"
#include "wva_metrics/collector/detail/call_timed_out.hpp"
#include "wva_metrics/collector/detail/coordinator.hpp"
#include "wva_metrics/collector/detail/entry_factory.hpp"
#include "wva_metrics/collector/detail/insertion_fence.hpp"
#include "wva_metrics/collector/detail/negative_verdict.hpp"
#include "wva_metrics/detail/describe_exception.hpp"
#include "wva_metrics/observer/events.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

namespace wva_metrics::detail {

/// Ends flights: stores answers in the cache, remembers failures, completes the waiters. `Data` is a
/// `CollectorData`.
///
/// Whatever throws, and also if there is no memory, each flight is settled and each waiter completed.
template <typename Data>
class Settlement {
public:
    using BatchType = Batch<typename Data::TimerType>;
    /// Receives the number of targets that failed. Must not throw. May be empty.
    using OnSettled = std::function<void(std::size_t)>;

    explicit Settlement(Data& data) : data_(data) {}

    /// Settles each flight of a batch with its answer.
    void settle(const BatchType& batch, BatchAnswers answers, TimePoint sent_at,
                const OnSettled& on_settled) noexcept {
        const TimePoint at = data_.now();
        const std::size_t targets = batch.flights().size();
        const CacheConfig config = cache_config();
        std::size_t failed = 0;
        for (std::size_t i = 0; i < targets; ++i) {
            const FlightPtr& flight = batch.flights()[i];
            const Result<void> settled = result_or_exception(
                [&]() -> Result<void> {
                    if (answers.has_error())
                        return error_of(answers);
                    return visit_answer(*answers, i, [&](auto& answer) {
                        return settle_answer(flight, answer, {sent_at, at}, config);
                    });
                },
                "what prepares an answer for the cache");
            if (settled.has_error()) {
                ++failed;
                settle_failure(flight, error_of(settled), batch.is_background(), at);
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

    /// Settles flights that were not sent.
    void fail(const std::vector<FlightPtr>& flights, Origin origin, const Error& error) noexcept {
        const TimePoint at = data_.now();
        data_.counters.add(data_.counters.failed_targets, flights.size());
        for (const FlightPtr& flight : flights)
            settle_failure(flight, error, origin == Origin::background, at);
        const std::lock_guard lock(data_.mutex);
        data_.coordinator.note_batch(flights.size(), flights.size(), at);
    }

    /// Ends a flight whose call has not ended by its deadline, as if the call were cancelled.
    void give_up(const FlightPtr& flight) noexcept {
        Duration timeout{};
        {
            const std::lock_guard lock(data_.mutex);
            timeout = data_.coordinator.config().call_timeout;
            if (const auto call = flight->call.lock())
                call->give_up();
        }
        settle_failure(flight, call_timed_out(timeout), false, data_.now());
    }

private:
    /// When a batch was sent, and answered.
    struct BatchTimes {
        TimePoint sent;
        TimePoint answered;
    };

    /// Moves the answer into a new entry, once: it takes 0.6 KB.
    template <typename T>
    CacheEntryPtr make_entry_of(const FlightPtr& flight, T& answer, const BatchTimes& at,
                                const CacheConfig& config) {
        stamp_identity(*flight->target, answer);
        if (const std::uint64_t ahead = count_ahead(answer, at.answered); ahead > 0)
            data_.counters.add(data_.counters.samples_ahead, ahead);
        if (is_empty_answer(answer))
            data_.counters.add(data_.counters.empty_answers);
        if (flight->previous)
            carry_over_missing(*flight->previous, answer, oldest_carried(config, at.sent));
        return make_entry(config, std::move(answer), at.sent,
                          attribution_budget(data_.cache, flight->key()));
    }

    /// Returns why the flight could not be settled with this answer. If it throws, it is not settled.
    template <typename T>
    Result<void> settle_answer(const FlightPtr& flight, Result<T>& answer, const BatchTimes& at,
                               const CacheConfig& config) {
        if (answer.has_error())
            return std::move(answer).error();
        settle_with(flight, make_entry_of(flight, *answer, at, config));
        return {};
    }

    /// If it throws, the flight is not settled.
    void settle_with(const FlightPtr& flight, const CacheEntryPtr& entry) {
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
        // Not later with the batch, so that the next entry is made in its memory.
        if (settled.was_open)
            flight->previous.reset();
        if (!settled.current) {
            data_.counters.add(data_.counters.discarded);
            data_.notify(events::Discarded{key});
        }
        if (const auto* warnings = warnings_of(*entry); warnings != nullptr && !warnings->empty())
            data_.notify(events::Warnings{key, *warnings});
        for (const WaiterPtr& waiter : settled.waiters)
            waiter->complete(Answer{entry, Source::backend});
    }

    /// Does nothing if the flight is settled.
    void settle_failure(const FlightPtr& flight, const Error& error, bool is_background,
                        TimePoint at) noexcept {
        const CacheKeyView key = flight->key();
        Coordinator::Settled settled;
        {
            const std::lock_guard lock(data_.mutex);
            settled = data_.coordinator.settle(flight, error, at);
        }
        if (!settled.was_open)
            return;
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
};

} // namespace wva_metrics::detail
