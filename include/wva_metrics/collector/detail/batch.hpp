// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/collector/detail/batch_answers.hpp"
#include "wva_metrics/collector/detail/call_timed_out.hpp"
#include "wva_metrics/collector/detail/flight.hpp"
#include "wva_metrics/collector/detail/overdue_calls.hpp"
#include "wva_metrics/collector/detail/persistent_executor.hpp"
#include "wva_metrics/collector/detail/posting.hpp"
#include "wva_metrics/concepts.hpp"
#include "wva_metrics/detail/describe_exception.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <boost/system/error_code.hpp>

#include <algorithm>
#include <atomic>
#include <exception>
#include <functional>
#include <memory>
#include <utility>
#include <variant>
#include <vector>

namespace wva_metrics::detail {

/// Why a batch is sent.
enum class Origin {
    /// Callers wait for it, or got a stale answer that it replaces.
    caller,
    /// It belongs to a background round.
    background,
};

/// Flights of one kind that are sent to the backend together, with one deadline.
///
/// All functions may be called from any thread. The backend's coroutine and `done` run on the
/// batch's own strand.
template <typename Timer>
class Batch : public std::enable_shared_from_this<Batch<Timer>> {
public:
    /// Receives as many answers as there are flights. Must not throw.
    using Done = std::function<void(const Batch&, BatchAnswers)>;

    /// There must be at least one flight, and only one of `AvailabilityTarget`.
    Batch(const asio::any_io_executor& executor, std::vector<FlightPtr> flights, Origin origin,
          const OverdueCalls& overdue)
        : strand_(PersistentExecutor(executor)), timer_(executor), flights_(std::move(flights)),
          origin_(origin), call_(overdue) {}

    EntryKind kind() const noexcept { return kind_of(*flights_.front()->target); }
    bool is_background() const noexcept { return origin_ == Origin::background; }
    const std::vector<FlightPtr>& flights() const noexcept { return flights_; }

    /// Calls the backend, and keeps it alive until its coroutine ends. Call at most once.
    ///
    /// `done` is called once, except if the executor's context is destroyed first, or if this throws
    /// because memory is short. It is called at the deadline of the flight that was opened first at
    /// the latest, which may be before the coroutine ends.
    template <MetricsBackend Backend>
    void run(std::shared_ptr<Backend> backend, Duration timeout, Done done) {
        done_ = std::move(done); // Before the strand's first function, so without a race.
        asio::post(strand_, [self = this->shared_from_this(), backend = std::move(backend),
                             timeout]() noexcept {
            try {
                self->begin(backend, timeout);
            } catch (...) {
                self->finish(describe_exception(std::current_exception()));
            }
        });
    }

    /// If memory is short, the call ends at its deadline.
    void cancel() noexcept {
        succeeds_in_three([&] {
            asio::post(strand_, [self = this->shared_from_this()] {
                self->cancelled_ = true; // `run` may be called later.
                self->cancel_backend();
            });
        });
    }

    /// The call, as a part of this batch.
    std::shared_ptr<OverdueCalls::Call> call() { return {this->shared_from_this(), &call_}; }

private:
    template <MetricsBackend Backend>
    void begin(const std::shared_ptr<Backend>& backend, Duration timeout) {
        if (cancelled_)
            return finish(Error(Errc::aborted, "cancelled before the backend was called"));
        const TimePoint deadline =
            (*std::ranges::min_element(flights_, {}, &Flight::deadline))->deadline;
        if (Timer::clock_type::now() >= deadline)
            return finish(call_timed_out(timeout, "the collector's executor sent no request"));
        const auto self = this->shared_from_this();
        timer_.expires_at(deadline);
        timer_.async_wait([self, timeout](const boost::system::error_code& error) {
            if (!error)
                self->post_time_out(timeout);
        });
        asio::co_spawn(
            strand_, answer(self, backend),
            asio::bind_cancellation_slot(signal_.slot(), [self](const std::exception_ptr& failure) {
                if (failure)
                    self->finish(describe_exception(failure));
            }));
    }

    /// Asio must not cancel operations whose coroutine was destroyed because memory was short.
    class EndNote {
    public:
        explicit EndNote(Batch& batch) : batch_(batch) {}
        EndNote(const EndNote&) = delete;
        EndNote& operator=(const EndNote&) = delete;
        ~EndNote() { batch_.has_ended_ = true; }

    private:
        Batch& batch_;
    };

    /// Finishes the batch itself: Asio may fail to call the handler of a coroutine that ended, if
    /// memory is short.
    // Static, because the coroutine frame keeps parameters alive, but not `this`.
    template <MetricsBackend Backend>
    static asio::awaitable<void> answer(std::shared_ptr<Batch> self,
                                        std::shared_ptr<Backend> backend) {
        const EndNote note(*self);
        try {
            auto answers = co_await fetch(self, std::move(backend));
            self->finish(std::move(answers));
        } catch (...) {
            self->finish(describe_exception(std::current_exception()));
        }
    }

    template <MetricsBackend Backend>
    static asio::awaitable<Answers> fetch(std::shared_ptr<Batch> self,
                                          std::shared_ptr<Backend> backend) {
        if (self->kind() == EntryKind::optimizer) {
            auto variants = self->all(&OptimizerTarget::variant);
            auto results = co_await self->fetch_optimizer(*backend, std::move(variants));
            co_return Answers(std::move(results));
        }
        if (self->kind() == EntryKind::replica) {
            auto models = self->all(&ReplicaTarget::model);
            auto results = co_await self->fetch_replicas(*backend, std::move(models));
            co_return Answers(std::move(results));
        }
        const ModelKey& model = std::get<AvailabilityTarget>(*self->flights_.front()->target).model;
        auto result = co_await backend->check_availability(model);
        std::vector<Result<Availability>> results;
        results.push_back(std::move(result));
        co_return Answers(std::move(results));
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

    /// Copies one member of every target.
    template <typename TargetType, typename T>
    std::vector<T> all(T TargetType::*member) const {
        std::vector<T> copies;
        copies.reserve(flights_.size());
        for (const FlightPtr& flight : flights_)
            copies.push_back(std::get<TargetType>(*flight->target).*member);
        return copies;
    }

    /// The timer is on the executor itself: what Asio dispatches to a strand is lost if memory is
    /// short.
    void post_time_out(Duration timeout) noexcept {
        succeeds_in_three([&] {
            asio::post(strand_,
                       [self = this->shared_from_this(), timeout] { self->time_out(timeout); });
        });
    }
    void time_out(Duration timeout) noexcept {
        if (!done_)
            return;
        call_.give_up();
        finish(call_timed_out(timeout));
        cancel_backend();
    }
    void cancel_backend() noexcept {
        if (has_ended_)
            return;
        try {
            signal_.emit(asio::cancellation_type::terminal);
        } catch (...) { // It runs on, and is counted as overdue after its deadline.
        }
    }

    void finish(BatchAnswers answers) noexcept {
        if (!done_)
            return; // Timed out already; a late answer is ignored.
        timer_.cancel();
        if (answers.has_value() && count(*answers) != flights_.size())
            answers = with_all(*std::move(answers));
        std::exchange(done_, nullptr)(*this, std::move(answers));
    }
    /// The backend returned another number of answers than it was asked for.
    BatchAnswers with_all(Answers answers) const noexcept {
        return result_or_exception(
            [&]() -> BatchAnswers {
                resize(answers, flights_.size(),
                       Error(Errc::internal, "the backend returned fewer answers than targets"));
                return std::move(answers);
            },
            "the backend");
    }

    asio::strand<PersistentExecutor> strand_;
    Timer timer_;
    asio::cancellation_signal signal_;
    const std::vector<FlightPtr> flights_;
    const Origin origin_;
    /// Ends with the batch, which the backend's coroutine keeps alive.
    OverdueCalls::Call call_;
    bool cancelled_ = false;
    /// The backend's coroutine has ended.
    std::atomic<bool> has_ended_ = false;
    Done done_;
};

} // namespace wva_metrics::detail
