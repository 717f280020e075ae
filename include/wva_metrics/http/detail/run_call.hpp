// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/http/config.hpp"
#include "wva_metrics/http/decompressor.hpp"
#include "wva_metrics/http/detail/attempt.hpp"
#include "wva_metrics/http/detail/authorize_op.hpp"
#include "wva_metrics/http/detail/body_options.hpp"
#include "wva_metrics/http/detail/call.hpp"
#include "wva_metrics/http/detail/call_registry.hpp"
#include "wva_metrics/http/detail/connection_pool.hpp"
#include "wva_metrics/http/detail/deadline.hpp"
#include "wva_metrics/http/detail/endpoint.hpp"
#include "wva_metrics/http/detail/guarded_request.hpp"
#include "wva_metrics/http/detail/judge_attempt.hpp"
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
#include <string_view>
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
            for (std::size_t attempts = 1;; ++attempts) {
                Tried tried = co_await send(endpoint, *call, request, deadline, options);
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

    /// What came of one attempt.
    struct Tried {
        Result<Response> response;
        bool may_retry = false;
        /// Nothing was sent: there was no connection for it, or the endpoint must not be asked.
        bool was_refused = false;
    };

    static Tried refused(Error error) { return {std::move(error), false, true}; }
    static Error refusal_of(Endpoint<Executor>& endpoint) {
        return endpoint.error(Errc::unavailable,
                              endpoint.guard.refuse(now(), std::chrono::system_clock::now()));
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

    /// One attempt, if the endpoint may be asked: waits for a connection and sends the request; once
    /// more with a new token if the answer is 401 and the token changed.
    static asio::awaitable<Tried> send(const EndpointPtr& endpoint, Call<Executor>& call,
                                       const Request& request, const Deadline& deadline,
                                       const BodyOptions& options) {
        if (endpoint->guard.is_refusing(now()))
            co_return refused(refusal_of(*endpoint));
        std::optional<ConnectionPool::StreamLease> stream_lease;
        std::optional<ConnectionPool::ConnectionLease> lease;
        if (options.mode == BodyMode::stream) {
            if (!stream_lease.emplace(endpoint->pool).is_granted())
                co_return refused(too_many_streams(*endpoint));
        } else if (!lease.emplace(endpoint->pool, call, request.priority()).is_granted_at_once()) {
            if (std::optional<Error> problem =
                    co_await wait_for_lease(*endpoint, call, *lease, deadline))
                co_return refused(*std::move(problem));
        }
        if (call.is_aborted())
            co_return refused(endpoint->aborted_error());
        const auto pass = endpoint->guard.admit(now());
        if (!pass)
            co_return refused(refusal_of(*endpoint));
        GuardedRequest guarded(endpoint->guard, *pass);
        AuthorizeOp<Executor> authorize(endpoint, call, deadline);
        std::optional<Result<std::string>> authorization = authorize.find();
        if (!authorization)
            authorization = co_await authorize.wait();
        if (!*authorization)
            co_return refused(std::move(*authorization).error());
        for (bool is_second = false;; is_second = true) {
            // Before the attempt begins, so that copying a large body does not count as its time.
            std::string bytes = write_request(*endpoint, request, **authorization, options.mode);
            Attempt<Executor> attempt(endpoint, call, guarded, deadline, options);
            Result<Response> response = co_await attempt.send(std::move(bytes));
            if (!is_second && response && response->status == 401) {
                authorize.reject(**authorization);
                std::optional<Result<std::string>> renewed = authorize.find();
                if (!renewed)
                    renewed = co_await authorize.wait();
                if (*renewed && **renewed != **authorization) {
                    authorization = std::move(renewed);
                    continue;
                }
            }
            co_return settle(*endpoint, guarded, std::move(response), deadline, options.mode);
        }
    }

    /// Tells the guard what came of an attempt.
    static Tried settle(const Endpoint<Executor>& endpoint, GuardedRequest& guarded,
                        Result<Response> response, const Deadline& deadline, BodyMode mode) {
        const TimePoint end = now();
        const Judgement judgement = judge_attempt(response,
                                                  {guarded.was_sent(), guarded.has_delivered(),
                                                   end >= deadline.at, end - guarded.started()},
                                                  endpoint.config);
        if (judgement.endpoint == Judgement::Endpoint::works)
            guarded.succeed(end);
        else if (judgement.endpoint == Judgement::Endpoint::fails)
            guarded.fail(end, describe_failure(response), judgement.pause);
        // Where to go on with a stream is known to its caller only.
        return {std::move(response), judgement.may_retry && mode != BodyMode::stream};
    }

    /// Waits in the queue until the lease is granted.
    static asio::awaitable<std::optional<Error>>
    wait_for_lease(Endpoint<Executor>& endpoint, Call<Executor>& call,
                   const ConnectionPool::ConnectionLease& lease, Deadline deadline) {
        using State = ConnectionPool::State;
        const Limits& limits = endpoint.config.limits;
        const std::size_t allowed = endpoint.guard.limit();
        const std::string busy =
            "all limits.max_connections = " + std::to_string(limits.max_connections) +
            " connections are in use" +
            (allowed < limits.max_connections
                 ? " (" + std::to_string(allowed) + " at the moment, because requests have failed)"
                 : "");
        endpoint.calls->expire_at(call, deadline.at);
        while (lease.state() == State::queued && !call.is_stopped())
            co_await call.wait();
        if (call.is_aborted())
            co_return endpoint.aborted_error();
        if (lease.state() == State::rejected)
            co_return endpoint.error(
                Errc::unavailable,
                busy + " and limits.max_queued = " + std::to_string(limits.max_queued) +
                    " calls wait for one; send fewer requests at a time or "
                    "raise a limit");
        if (call.is_expired())
            co_return endpoint.error(Errc::timeout,
                                     busy + ", and none became free before the caller's deadline");
        co_return std::nullopt;
    }

    static Error too_many_streams(const Endpoint<Executor>& endpoint) {
        return endpoint.error(
            Errc::unavailable,
            "limits.max_streams = " + std::to_string(endpoint.config.limits.max_streams) +
                " streams are open already; end one or raise the limit");
    }

    static std::string write_request(const Endpoint<Executor>& endpoint, const Request& request,
                                     const std::string& authorization, BodyMode mode) {
        endpoint.secrets->learn_authorization(authorization);
        // A decompressor needs the whole body, and a stream may never end.
        const Decompressor* const decompressor =
            mode == BodyMode::stream ? nullptr : endpoint.config.decompressor.get();
        const std::string_view coding =
            decompressor == nullptr ? std::string_view("identity") : decompressor->coding();
        return detail::write_request(request, endpoint.url, endpoint.headers, coding,
                                     authorization);
    }
};

} // namespace wva_metrics::http::detail
