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

/// What a client's call does, from its checks to its response. Nothing here refers to the client
/// itself, which may be destroyed while the call runs.
template <typename Executor>
class RunCall {
public:
    using EndpointPtr = std::shared_ptr<Endpoint<Executor>>;

    /// Checks the arguments, then runs the call on a strand of its own.
    static asio::awaitable<Result<Response>> start(EndpointPtr endpoint, Request request,
                                                   TimePoint deadline, BodyOptions options) {
        std::optional<Error> problem = check_request(request);
        if (!problem)
            problem = check_body_options(options);
        if (problem) {
            problem->endpoint = endpoint->url.origin();
            co_return *std::move(problem);
        }
        co_return co_await asio::async_initiate<const asio::deferred_t,
                                                void(std::exception_ptr, Result<Response>)>(
            Spawn{}, asio::deferred, std::move(endpoint), std::move(request), deadline,
            std::move(options));
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
        void operator()(Handler handler, EndpointPtr endpoint, Request request, TimePoint deadline,
                        BodyOptions options) const {
            const std::optional<Executor> executor = endpoint->executor();
            if (!executor) {
                const auto own = asio::get_associated_executor(handler);
                asio::post(own, [handler = std::move(handler),
                                 error = endpoint->aborted_error()]() mutable {
                    std::move(handler)(std::exception_ptr(), Result<Response>(std::move(error)));
                });
                return;
            }
            auto call = std::make_shared<Call<Executor>>(*executor);
            asio::cancellation_slot slot = asio::get_associated_cancellation_slot(handler);
            if (slot.is_connected()) {
                slot.assign([weak = std::weak_ptr(call)](asio::cancellation_type) {
                    if (const auto running = weak.lock())
                        running->post_cancel(Call<Executor>::Stop::cancelled);
                });
            }
            const asio::any_io_executor strand = call->strand();
            asio::co_spawn(
                strand,
                run(std::move(endpoint), std::move(call), std::move(request), deadline,
                    std::move(options)),
                asio::bind_cancellation_slot(asio::cancellation_slot(), std::move(handler)));
        }
    };

    static asio::awaitable<Result<Response>> run(EndpointPtr endpoint, CallPtr call,
                                                 Request request, TimePoint deadline_time,
                                                 BodyOptions options) {
        const typename CallRegistry<Executor>::Registration registration(*endpoint->calls, *call);
        if (!registration.is_open())
            co_return endpoint->aborted_error();
        try {
            const Deadline deadline{deadline_time};
            if (deadline.at <= now())
                co_return endpoint->error(
                    Errc::timeout, "the caller's deadline had passed before anything was sent");
            std::optional<Result<Response>> failed;
            const SendRules as_usual;
            for (std::size_t attempts = 1;; ++attempts) {
                const bool may_hedge =
                    endpoint->guard.config().hedging.enabled && options.mode != BodyMode::stream;
                asio::awaitable<Tried> sending =
                    may_hedge
                        ? HedgedSend<Executor>::run(endpoint, call, request, deadline, options)
                        : GuardedSend<Executor>::run(endpoint, *call, request, deadline, options,
                                                     as_usual);
                Tried tried = co_await std::move(sending);
                if (tried.was_refused && failed && !call->is_aborted())
                    co_return explain(*std::move(failed), attempts - 1);
                if (!tried.may_retry || call->is_aborted())
                    co_return explain(std::move(tried.response), attempts);
                const std::optional<TimePoint> again = endpoint->guard.plan_retry(
                    attempts, now(), deadline.at, endpoint->random.next());
                if (!again)
                    co_return explain(std::move(tried.response), attempts);
                failed = std::move(tried.response);
                co_await wait_until(*endpoint, *call, *again, deadline);
                if (call->is_aborted())
                    co_return endpoint->aborted_error();
            }
        } catch (const std::exception& error) {
            co_return endpoint->error(Errc::internal, error.what());
        }
    }

    /// Says how often the request was sent, if an error says why it failed.
    static Result<Response> explain(Result<Response> outcome, std::size_t attempts) {
        if (attempts == 1 || outcome.has_value())
            return outcome;
        Error error = std::move(outcome).error();
        error.message += " (after " + std::to_string(attempts) + " attempts)";
        return error;
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
