// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/http/config.hpp"
#include "wva_metrics/http/detail/body_options.hpp"
#include "wva_metrics/http/detail/call.hpp"
#include "wva_metrics/http/detail/call_registry.hpp"
#include "wva_metrics/http/detail/deadline.hpp"
#include "wva_metrics/http/detail/endpoint.hpp"
#include "wva_metrics/http/detail/guarded_send.hpp"
#include "wva_metrics/http/detail/hedged_send.hpp"
#include "wva_metrics/http/detail/request_writer.hpp"
#include "wva_metrics/http/message.hpp"
#include "wva_metrics/reading.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/post.hpp>

#include <chrono>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace wva_metrics::http::detail {

/// What a call is asked for, and what came of it. Passed on by a pointer, because moving all of it
/// from function to function costs as much as writing the request.
template <typename Executor>
struct Order {
    template <typename RequestRef, typename OptionsRef>
    Order(std::shared_ptr<Endpoint<Executor>> of, RequestRef&& sent, TimePoint until,
          OptionsRef&& body)
        : endpoint(std::move(of)), request(std::forward<RequestRef>(sent)), deadline(until),
          options(std::forward<OptionsRef>(body)) {}

    std::shared_ptr<Endpoint<Executor>> endpoint;
    Request request;
    TimePoint deadline;
    BodyOptions options;
    Result<Response> response{};
};

/// What a client's call does, from its checks to its response. Nothing here refers to the client
/// itself, which may be destroyed while the call runs.
template <typename Executor>
class RunCall {
public:
    using OrderPtr = std::unique_ptr<Order<Executor>>;

    /// Checks the arguments, then runs the call on a strand of its own.
    static asio::awaitable<Result<Response>> start(OrderPtr order) {
        std::optional<Error> problem = check_request(order->request);
        if (!problem)
            problem = check_body_options(order->options);
        if (problem) {
            problem->endpoint = order->endpoint->url.origin();
            co_return *std::move(problem);
        }
        order = co_await asio::async_initiate<const asio::deferred_t,
                                              void(std::exception_ptr, OrderPtr)>(
            Spawn{}, asio::deferred, std::move(order));
        Result<Response> response = std::move(order->response);
        order.reset(); // The sink must be destroyed before the call completes.
        co_return response;
    }

private:
    using CallPtr = std::shared_ptr<Call<Executor>>;

    static TimePoint now() { return std::chrono::steady_clock::now(); }

    /// Starts `run` on a strand of its own. The cancellation of the awaiting coroutine stops it.
    ///
    /// Not a coroutine, so that no frame of the caller holds anything of the client's execution
    /// context: that frame may be destroyed later than the client's context.
    struct Spawn {
        template <typename Handler>
        void operator()(Handler handler, OrderPtr order) const {
            std::optional<asio::any_io_executor> strand = order->endpoint->calls->take_strand();
            if (!strand) {
                const auto own = asio::get_associated_executor(handler);
                order->response = order->endpoint->aborted_error();
                asio::post(own, [handler = std::move(handler), order = std::move(order)]() mutable {
                    std::move(handler)(std::exception_ptr(), std::move(order));
                });
                return;
            }
            auto call = std::make_shared<Call<Executor>>(*strand);
            asio::cancellation_slot slot = asio::get_associated_cancellation_slot(handler);
            if (slot.is_connected()) {
                slot.assign([weak = std::weak_ptr(call)](asio::cancellation_type) {
                    if (const auto running = weak.lock())
                        running->post_cancel(Call<Executor>::Stop::cancelled);
                });
            }
            asio::co_spawn(
                *std::move(strand), run(std::move(order), std::move(call)),
                asio::bind_cancellation_slot(asio::cancellation_slot(), std::move(handler)));
        }
    };

    static asio::awaitable<OrderPtr> run(OrderPtr order, CallPtr call) {
        const std::shared_ptr<Endpoint<Executor>> endpoint = order->endpoint;
        const typename CallRegistry<Executor>::Registration registration(*endpoint->calls, *call);
        if (!registration.is_open())
            co_return answered(order, endpoint->aborted_error());
        try {
            const Deadline deadline{order->deadline};
            if (deadline.at <= now())
                co_return answered(
                    order,
                    endpoint->error(Errc::timeout,
                                    "the caller's deadline had passed before anything was sent"));
            std::optional<Result<Response>> failed;
            const SendRules as_usual;
            for (std::size_t attempts = 1;; ++attempts) {
                const bool may_hedge = endpoint->guard.config().hedging.enabled &&
                                       order->options.mode != BodyMode::stream;
                asio::awaitable<Tried> sending =
                    may_hedge ? HedgedSend<Executor>::run(endpoint, call, order->request, deadline,
                                                          order->options)
                              : GuardedSend<Executor>::run(endpoint, *call, order->request,
                                                           deadline, order->options, as_usual);
                Tried tried = co_await std::move(sending);
                if (tried.was_refused && failed && !call->is_aborted())
                    co_return answered(order, *std::move(failed), attempts - 1);
                if (!tried.may_retry || call->is_aborted())
                    co_return answered(order, std::move(tried.response), attempts);
                const std::optional<TimePoint> again = endpoint->guard.plan_retry(
                    attempts, now(), deadline.at, endpoint->random.next());
                if (!again)
                    co_return answered(order, std::move(tried.response), attempts);
                failed = std::move(tried.response);
                co_await wait_until(*endpoint, *call, *again, deadline);
                if (call->is_aborted())
                    co_return answered(order, endpoint->aborted_error());
            }
        } catch (const std::exception& error) {
            co_return answered(order, endpoint->error(Errc::internal, error.what()));
        }
    }

    /// An error of several attempts says how often the request was sent.
    static OrderPtr answered(OrderPtr& order, Result<Response>&& outcome,
                             std::size_t attempts = 1) {
        if (attempts > 1 && outcome.has_error()) {
            Error error = std::move(outcome).error();
            error.message += " (after " + std::to_string(attempts) + " attempts)";
            outcome = std::move(error);
        }
        order->response = std::move(outcome);
        return std::move(order);
    }

    /// Waits without a connection. `deadline`: the call's, which is later.
    static asio::awaitable<void> wait_until(Endpoint<Executor>& endpoint, Call<Executor>& call,
                                            TimePoint time, const Deadline& deadline) {
        endpoint.calls->expire_at(call, time);
        while (!call.is_stopped())
            co_await call.wait();
        endpoint.calls->expire_at(call, deadline.at);
    }
};

} // namespace wva_metrics::http::detail
