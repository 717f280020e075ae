// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/collector/detail/call_timed_out.hpp"
#include "wva_metrics/collector/detail/describe_exception.hpp"
#include "wva_metrics/collector/detail/flight.hpp"
#include "wva_metrics/collector/detail/overdue_calls.hpp"
#include "wva_metrics/concepts.hpp"
#include "wva_metrics/detail/saturating_add.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <boost/system/error_code.hpp>

#include <exception>
#include <functional>
#include <iterator>
#include <memory>
#include <utility>
#include <variant>
#include <vector>

namespace wva_metrics::detail {

/// The backend's answers, one per flight, in order. If the whole batch failed, every answer is the
/// same error.
using BatchAnswers = std::vector<Result<CachePayload>>;

/// Why a batch is sent.
enum class Origin {
    /// Callers wait for it, or got a stale answer that it replaces.
    caller,
    /// It belongs to a background round.
    background,
};

/// Flights of one kind that are sent to the backend together, with one deadline.
///
/// All functions may be called from any thread. The backend's coroutine, the timer and `done` run
/// on the batch's own strand.
template <typename Timer>
class Batch : public std::enable_shared_from_this<Batch<Timer>> {
public:
    using Done = std::function<void(const Batch&, BatchAnswers)>;

    /// There must be at least one flight, and only one of `AvailabilityTarget`.
    Batch(const asio::any_io_executor& executor, std::vector<FlightPtr> flights, Origin origin,
          const OverdueCalls& overdue)
        : strand_(asio::make_strand(executor)), timer_(strand_), flights_(std::move(flights)),
          origin_(origin), call_(overdue) {}

    EntryKind kind() const noexcept { return kind_of(*flights_.front()->target); }
    bool is_background() const noexcept { return origin_ == Origin::background; }
    const std::vector<FlightPtr>& flights() const noexcept { return flights_; }

    /// Calls the backend, and keeps it alive until its coroutine ends. Call at most once.
    ///
    /// `done` is called once, except if the executor's context is destroyed first. After a timeout,
    /// `done` is called before the coroutine ends.
    template <MetricsBackend Backend>
    void run(std::shared_ptr<Backend> backend, Duration timeout, Done done) {
        done_ = std::move(done); // Before the strand's first function, so without a race.
        const TimePoint deadline = saturating_add(Timer::clock_type::now(), timeout);
        asio::post(strand_, [self = this->shared_from_this(), backend = std::move(backend),
                             deadline, timeout] {
            if (self->cancelled_) {
                self->fail(Error(Errc::aborted, "cancelled before the backend was called"));
                return;
            }
            self->timer_.expires_at(deadline);
            self->timer_.async_wait([self, timeout](const boost::system::error_code& error) {
                if (!error)
                    self->time_out(timeout);
            });
            asio::co_spawn(self->strand_, fetch(self, backend),
                           asio::bind_cancellation_slot(
                               self->signal_.slot(),
                               [self](const std::exception_ptr& failure, BatchAnswers answers) {
                                   if (failure)
                                       self->fail(describe_exception(failure));
                                   else
                                       self->finish(std::move(answers));
                               }));
        });
    }

    void cancel() {
        asio::post(strand_, [self = this->shared_from_this()] {
            self->cancelled_ = true; // `run` may be called later.
            self->signal_.emit(asio::cancellation_type::terminal);
        });
    }

private:
    // Static, because the coroutine frame keeps parameters alive, but not `this`.
    template <MetricsBackend Backend>
    static asio::awaitable<BatchAnswers> fetch(std::shared_ptr<Batch> self,
                                               std::shared_ptr<Backend> backend) {
        if (self->kind() == EntryKind::optimizer) {
            auto variants = self->all(&OptimizerTarget::variant);
            auto results = co_await self->fetch_optimizer(*backend, std::move(variants));
            co_return as_answers(std::move(results));
        }
        if (self->kind() == EntryKind::replica) {
            auto models = self->all(&ReplicaTarget::model);
            auto results = co_await self->fetch_replicas(*backend, std::move(models));
            co_return as_answers(std::move(results));
        }
        const ModelKey& model = std::get<AvailabilityTarget>(*self->flights_.front()->target).model;
        auto result = co_await backend->check_availability(model);
        BatchAnswers answers;
        answers.emplace_back(std::move(result));
        co_return answers;
    }

    ///@{
    /// Tells the backend whether somebody waits, if it wants to know. The targets must outlive the
    /// coroutine.
    template <MetricsBackend Backend>
    auto fetch_optimizer(Backend& backend, std::vector<VariantAutoscaling>&& variants) const {
        if constexpr (PrioritizingBackend<Backend>)
            return backend.fetch_optimizer_metrics(std::move(variants), priority());
        else
            return backend.fetch_optimizer_metrics(std::move(variants));
    }
    template <MetricsBackend Backend>
    auto fetch_replicas(Backend& backend, std::vector<ModelKey>&& models) const {
        if constexpr (PrioritizingBackend<Backend>)
            return backend.fetch_replica_samples(std::move(models), priority());
        else
            return backend.fetch_replica_samples(std::move(models));
    }
    Priority priority() const noexcept {
        return is_background() ? Priority::background : Priority::interactive;
    }
    ///@}

    template <typename T>
    static BatchAnswers as_answers(std::vector<Result<T>>&& results) {
        return BatchAnswers(std::make_move_iterator(results.begin()),
                            std::make_move_iterator(results.end()));
    }

    /// Copies one member of every target.
    template <typename TargetType, typename T>
    std::vector<T> all(T TargetType::*member) const {
        std::vector<T> copies;
        copies.reserve(flights_.size());
        for (const FlightPtr& flight : flights_)
            copies.push_back(std::get<TargetType>(*flight->target).*member);
        return copies;
    }

    void time_out(Duration timeout) {
        if (!done_)
            return;
        call_.give_up();
        fail(call_timed_out(timeout));
        signal_.emit(asio::cancellation_type::terminal);
    }

    void fail(const Error& error) { finish(BatchAnswers(flights_.size(), error)); }

    void finish(BatchAnswers answers) {
        if (!done_)
            return; // Timed out already; a late answer is ignored.
        timer_.cancel();
        answers.resize(flights_.size(),
                       Error(Errc::internal, "the backend returned fewer answers than targets"));
        std::exchange(done_, nullptr)(*this, std::move(answers));
    }

    asio::strand<asio::any_io_executor> strand_;
    Timer timer_;
    asio::cancellation_signal signal_;
    const std::vector<FlightPtr> flights_;
    const Origin origin_;
    /// Ends with the batch, which the backend's coroutine keeps alive.
    OverdueCalls::Call call_;
    bool cancelled_ = false;
    Done done_;
};

} // namespace wva_metrics::detail
