// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/http/config.hpp"
#include "wva_metrics/http/decompressor.hpp"
#include "wva_metrics/http/detail/attempt.hpp"
#include "wva_metrics/http/detail/authorize_op.hpp"
#include "wva_metrics/http/detail/body_options.hpp"
#include "wva_metrics/http/detail/call.hpp"
#include "wva_metrics/http/detail/connection_pool.hpp"
#include "wva_metrics/http/detail/deadline.hpp"
#include "wva_metrics/http/detail/endpoint.hpp"
#include "wva_metrics/http/detail/guarded_request.hpp"
#include "wva_metrics/http/detail/judge_attempt.hpp"
#include "wva_metrics/http/detail/request_writer.hpp"
#include "wva_metrics/http/message.hpp"
#include "wva_metrics/reading.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace wva_metrics::http::detail {

/// What came of one attempt.
struct Tried {
    Result<Response> response;
    /// The request may be sent again.
    bool may_retry = false;
    /// Nothing was sent: there was no connection for it, or the endpoint must not be asked.
    bool was_refused = false;
    /// The response is an answer to the request, and no failure of the endpoint.
    bool is_answer = false;
};

/// How an attempt is made.
struct SendRules {
    /// Whether it may wait in the queue for a connection.
    bool may_queue = true;
    /// Called once, when the endpoint may be asked, before anything is sent. If it returns false,
    /// nothing is sent. May be empty.
    std::function<bool()> before_sending{};
};

/// One attempt, if the endpoint may be asked: waits for a connection and sends the request; once
/// more with a new token if the answer is 401 and the token changed.
template <typename Executor>
class GuardedSend {
public:
    using EndpointPtr = std::shared_ptr<Endpoint<Executor>>;

    /// On the strand of `call`; everything that is passed in must outlive it.
    static asio::awaitable<Tried> run(const EndpointPtr& endpoint, Call<Executor>& call,
                                      const Request& request, const Deadline& deadline,
                                      const BodyOptions& options, const SendRules& rules) {
        TimePoint time = now();
        if (endpoint->guard.is_refusing(time))
            co_return refused(refusal_of(*endpoint));
        std::optional<ConnectionPool::StreamLease> stream_lease;
        std::optional<ConnectionPool::ConnectionLease> lease;
        if (options.mode == BodyMode::stream) {
            if (!stream_lease.emplace(endpoint->pool).is_granted())
                co_return refused(too_many_streams(*endpoint));
        } else if (!lease.emplace(endpoint->pool, call, request.priority(), rules.may_queue)
                        .is_granted_at_once()) {
            if (!rules.may_queue)
                co_return refused(endpoint->aborted_error());
            if (std::optional<Error> problem =
                    co_await wait_for_lease(*endpoint, call, *lease, deadline))
                co_return refused(*std::move(problem));
            time = now();
        }
        if (call.is_aborted())
            co_return refused(endpoint->aborted_error());
        const auto pass = endpoint->guard.admit(time);
        if (!pass)
            co_return refused(refusal_of(*endpoint));
        GuardedRequest guarded(endpoint->guard, *pass);
        AuthorizeOp<Executor> authorize(endpoint, call, deadline);
        std::optional<Result<std::string>> authorization = authorize.find(time);
        if (!authorization)
            authorization = co_await authorize.wait();
        if (!*authorization)
            co_return refused(std::move(*authorization).error());
        if (rules.before_sending && !rules.before_sending())
            co_return refused(endpoint->aborted_error());
        for (bool is_second = false;; is_second = true) {
            // Before the attempt begins, so that copying a large body does not count as its time.
            std::string bytes = write_request(*endpoint, request, **authorization, options.mode);
            Attempt<Executor> attempt(endpoint, call, guarded, deadline, options);
            Result<Response> response = co_await attempt.send(std::move(bytes));
            if (!is_second && response && response->status == 401) {
                authorize.reject(**authorization);
                std::optional<Result<std::string>> renewed = authorize.find(now());
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

private:
    static TimePoint now() { return std::chrono::steady_clock::now(); }

    static Tried refused(Error error) { return {std::move(error), false, true}; }
    static Error refusal_of(Endpoint<Executor>& endpoint) {
        return endpoint.error(Errc::unavailable,
                              endpoint.guard.refuse(now(), std::chrono::system_clock::now()));
    }

    /// Tells the guard what came of an attempt.
    static Tried settle(const Endpoint<Executor>& endpoint, GuardedRequest& guarded,
                        Result<Response>&& response, const Deadline& deadline, BodyMode mode) {
        const TimePoint end = now();
        const Judgement judgement = judge_attempt(response,
                                                  {guarded.was_sent(), guarded.has_delivered(),
                                                   end >= deadline.at, end - guarded.started()},
                                                  endpoint.config);
        if (judgement.endpoint == Judgement::Endpoint::works)
            guarded.succeed(end);
        else if (judgement.endpoint == Judgement::Endpoint::fails)
            guarded.fail(end, endpoint.secrets->mask(describe_failure(response)), judgement.pause);
        const bool is_answer =
            response.has_value() && judgement.endpoint != Judgement::Endpoint::fails;
        // Where to go on with a stream is known to its caller only.
        return {std::move(response), judgement.may_retry && mode != BodyMode::stream, false,
                is_answer};
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
