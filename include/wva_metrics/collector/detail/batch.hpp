// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/collector/detail/flight.hpp"
#include "wva_metrics/concepts.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <boost/system/system_error.hpp>

#include <chrono>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace wva_metrics::detail {

/// One answer per flight, in order, as the backend gave them; or why there is none for any.
using BatchAnswers =
    std::variant<std::vector<Result<OptimizerMetrics>>, std::vector<Result<ReplicaSamples>>,
                 std::vector<Result<Availability>>, Error>;

/// Flights of one kind that are sent to the backend together, and the deadline they share.
///
/// `run` and `cancel` may be called from any thread; the rest happens on the batch's own strand.
/// `Done` is called once, with one answer per flight, unless the executor's context is destroyed
/// first.
template <typename Timer>
class Batch : public std::enable_shared_from_this<Batch<Timer>> {
public:
    using Done = std::function<void(BatchAnswers)>;

    Batch(const asio::any_io_executor& executor, EntryKind kind, std::vector<FlightPtr> flights,
          bool background)
        : strand_(asio::make_strand(executor)), timer_(strand_), kind_(kind),
          flights_(std::move(flights)), background_(background) {}

    EntryKind kind() const noexcept { return kind_; }
    bool background() const noexcept { return background_; }
    const std::vector<FlightPtr>& flights() const noexcept { return flights_; }

    /// Asks. The backend is kept until its coroutine has ended, which may be later than `done` when
    /// it was given up.
    template <MetricsBackend Backend>
    void run(std::shared_ptr<Backend> backend, TimePoint deadline, Duration timeout, Done done) {
        done_ = std::move(done);
        asio::post(strand_, [self = this->shared_from_this(), backend = std::move(backend),
                             deadline, timeout] {
            if (self->is_cancelled_) {
                self->finish(Error(Errc::aborted, "cancelled before the backend was asked"));
                return;
            }
            self->timer_.expires_at(deadline);
            self->timer_.async_wait([self, timeout](const boost::system::error_code& error) {
                if (!error)
                    self->give_up(timeout);
            });
            asio::co_spawn(self->strand_, self->ask(self, backend),
                           asio::bind_cancellation_slot(
                               self->signal_.slot(),
                               [self](const std::exception_ptr& failure, BatchAnswers answers) {
                                   if (failure)
                                       answers = describe(failure);
                                   self->finish(std::move(answers));
                               }));
        });
    }

    void cancel() {
        asio::post(strand_, [self = this->shared_from_this()] {
            self->is_cancelled_ = true; // `run` may come later.
            self->signal_.emit(asio::cancellation_type::terminal);
        });
    }

private:
    // Both are parameters so that the frame keeps them; a member function's `this` would not.
    template <MetricsBackend Backend>
    static asio::awaitable<BatchAnswers> ask(std::shared_ptr<Batch> self,
                                             std::shared_ptr<Backend> backend) {
        if (self->kind_ == EntryKind::optimizer) {
            auto targets = self->template targets<VariantAutoscaling>();
            auto results = co_await backend->fetch_optimizer_metrics(std::move(targets));
            co_return BatchAnswers(std::move(results));
        }
        if (self->kind_ == EntryKind::replica) {
            auto targets = self->template targets<ModelKey>();
            auto results = co_await backend->fetch_replica_samples(std::move(targets));
            co_return BatchAnswers(std::move(results));
        }
        std::vector<Result<Availability>> results;
        for (const ModelKey& model : self->template targets<ModelKey>()) {
            auto result = co_await backend->check_availability(model);
            results.push_back(std::move(result));
        }
        co_return BatchAnswers(std::move(results));
    }

    template <typename Q>
    std::vector<Q> targets() const {
        std::vector<Q> all;
        all.reserve(flights_.size());
        for (const FlightPtr& flight : flights_)
            all.push_back(std::get<Q>(*flight->target));
        return all;
    }

    static Error describe(const std::exception_ptr& failure) {
        try {
            std::rethrow_exception(failure);
        } catch (const ResultError& error) {
            return error.error();
        } catch (const boost::system::system_error& error) {
            if (error.code() == asio::error::operation_aborted)
                return Error(Errc::aborted, "the backend's operation was cancelled");
            return Error(Errc::internal,
                         std::string("the backend threw an exception: ") + error.what());
        } catch (const std::exception& error) {
            return Error(Errc::internal,
                         std::string("the backend threw an exception: ") + error.what());
        } catch (...) {
            return Error(Errc::internal, "the backend threw something that is no std::exception");
        }
    }

    void give_up(Duration timeout) {
        if (!done_)
            return;
        const auto seconds = std::chrono::duration<double>(timeout).count();
        std::string text = std::to_string(seconds);
        text.erase(text.find_last_not_of('0') + 1);
        if (text.ends_with('.'))
            text.pop_back();
        finish(Error(Errc::timeout, "the backend gave no answer within " + text +
                                        " s (CollectorConfig::call_timeout)"));
        signal_.emit(asio::cancellation_type::terminal);
    }

    void finish(BatchAnswers answers) {
        if (!done_)
            return; // Given up already; the late answer is of no use.
        timer_.cancel();
        std::visit(
            [&]<typename T>(T& given) {
                if constexpr (!std::is_same_v<T, Error>)
                    while (given.size() < flights_.size())
                        given.emplace_back(
                            Error(Errc::internal,
                                  "the backend gave fewer answers than it was asked targets"));
            },
            answers);
        std::exchange(done_, nullptr)(std::move(answers));
    }

    asio::strand<asio::any_io_executor> strand_;
    Timer timer_;
    asio::cancellation_signal signal_;
    EntryKind kind_;
    std::vector<FlightPtr> flights_;
    bool background_;
    bool is_cancelled_ = false;
    Done done_;
};

} // namespace wva_metrics::detail
