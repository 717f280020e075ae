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

/// The backend's answers, one per flight, in order; or the error that failed the whole batch.
using BatchAnswers =
    std::variant<std::vector<Result<OptimizerMetrics>>, std::vector<Result<ReplicaSamples>>,
                 std::vector<Result<Availability>>, Error>;

/// Flights of one kind that are sent to the backend together, with one deadline.
///
/// `run` and `cancel` may be called from any thread; everything else runs on the batch's own
/// strand. `Done` is called once, with one answer per flight, unless the executor's context is
/// destroyed first.
template <typename Timer>
class Batch : public std::enable_shared_from_this<Batch<Timer>> {
public:
    using Done = std::function<void(BatchAnswers)>;

    /// There must be at least one flight.
    Batch(const asio::any_io_executor& executor, std::vector<FlightPtr> flights, bool is_background)
        : strand_(asio::make_strand(executor)), timer_(strand_), flights_(std::move(flights)),
          background_(is_background) {}

    EntryKind kind() const noexcept { return kind_of(*flights_.front()->target); }
    bool is_background() const noexcept { return background_; }
    const std::vector<FlightPtr>& flights() const noexcept { return flights_; }

    /// Calls the backend, and keeps it alive until its coroutine ends. After a timeout that may be
    /// later than `done`.
    template <MetricsBackend Backend>
    void run(std::shared_ptr<Backend> backend, TimePoint deadline, Duration timeout, Done done) {
        done_ = std::move(done);
        asio::post(strand_, [self = this->shared_from_this(), backend = std::move(backend),
                             deadline, timeout] {
            if (self->cancelled_) {
                self->finish(Error(Errc::aborted, "cancelled before the backend was called"));
                return;
            }
            self->timer_.expires_at(deadline);
            self->timer_.async_wait([self, timeout](const boost::system::error_code& error) {
                if (!error)
                    self->time_out(timeout);
            });
            asio::co_spawn(self->strand_, self->fetch(self, backend),
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
            auto results = co_await backend->fetch_optimizer_metrics(std::move(variants));
            co_return BatchAnswers(std::move(results));
        }
        if (self->kind() == EntryKind::replica) {
            auto models = self->all(&ReplicaTarget::model);
            auto results = co_await backend->fetch_replica_samples(std::move(models));
            co_return BatchAnswers(std::move(results));
        }
        std::vector<Result<Availability>> results;
        for (const ModelKey& model : self->all(&AvailabilityTarget::model)) {
            auto result = co_await backend->check_availability(model);
            results.push_back(std::move(result));
        }
        co_return BatchAnswers(std::move(results));
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
            return Error(Errc::internal, "the backend threw a non-standard exception");
        }
    }

    void time_out(Duration timeout) {
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
            return; // Timed out already; a late answer is ignored.
        timer_.cancel();
        std::visit(
            [&]<typename T>(T& given) {
                if constexpr (!std::is_same_v<T, Error>)
                    while (given.size() < flights_.size())
                        given.emplace_back(Error(
                            Errc::internal, "the backend returned fewer answers than targets"));
            },
            answers);
        std::exchange(done_, nullptr)(std::move(answers));
    }

    asio::strand<asio::any_io_executor> strand_;
    Timer timer_;
    asio::cancellation_signal signal_;
    std::vector<FlightPtr> flights_;
    bool background_;
    bool cancelled_ = false;
    Done done_;
};

} // namespace wva_metrics::detail
