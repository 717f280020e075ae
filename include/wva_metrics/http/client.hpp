// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/context_hook.hpp"
#include "wva_metrics/detail/if_used.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/http/config.hpp"
#include "wva_metrics/http/decompressor.hpp"
#include "wva_metrics/http/detail/attempt.hpp"
#include "wva_metrics/http/detail/call.hpp"
#include "wva_metrics/http/detail/call_registry.hpp"
#include "wva_metrics/http/detail/connection_pool.hpp"
#include "wva_metrics/http/detail/endpoint.hpp"
#include "wva_metrics/http/detail/request_writer.hpp"
#include "wva_metrics/http/message.hpp"
#include "wva_metrics/http/streaming.hpp"
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

namespace wva_metrics::http {

/// An HTTP/1.1 client of one endpoint, with a pool of kept connections and a bound on everything.
///
/// Thread safety: `send` may be called from any number of threads, strands and execution contexts
/// at once. Each call runs on a strand of its own on the client's executor, and returns to its
/// caller's executor; so a socket and what ends it (its time, its cancellation) never meet on two
/// threads, whatever the caller's executor is. A kept connection goes from one call's strand to
/// another's through the pool and its mutex.
///
/// Lifetime: the client may be destroyed while calls are pending, before or after its execution
/// context (but not on another thread while the context is being destroyed). Calls that are pending
/// then end with `Errc::aborted`, or are destroyed with the context. A caller on another execution
/// context must not destroy that one before the client's while its call is pending, as with any
/// Asio operation.
class Client {
public:
    /// An unsound configuration is not refused here: every call then gives `Errc::invalid_config`
    /// with all that `validate` finds.
    template <wva_metrics::detail::IfUsed = wva_metrics::detail::IfUsed::compile>
    Client(asio::any_io_executor executor, ClientConfig config)
        : endpoint_(std::make_shared<detail::Endpoint>(executor, std::move(config))),
          hook_(executor, [weak = std::weak_ptr(endpoint_)] {
              if (const auto endpoint = weak.lock())
                  endpoint->close(false);
          }) {}
    ~Client() { endpoint_->close(true); }
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    /// Sends a request and reads the answer.
    ///
    /// Completes with the answer, whatever its HTTP status is; or, within `deadline`, with an
    /// error:
    /// - `invalid_config`, `invalid_argument`: nothing was sent,
    /// - `name_lookup_failed`, `unreachable`, `tls_failed`, `timeout`: see `Errc`,
    /// - `unavailable`: limits.max_queued calls are waiting for a connection already,
    /// - `too_large`, `bad_response`: the answer exceeds a limit, or is not HTTP, or compressed as
    ///   nobody asked for,
    /// - `aborted`: cancelled, or the client was destroyed.
    ///
    /// A 401 answer makes a token file be read again; where that gives another token, the request
    /// is sent once more.
    ///
    /// Cancellation (terminal) from the caller's strand: I/O ends at once, its connection is
    /// closed, and the call ends with `Errc::aborted`.
    template <wva_metrics::detail::IfUsed = wva_metrics::detail::IfUsed::compile>
    asio::awaitable<Result<Response>> send(Request request, TimePoint deadline) {
        return start(endpoint_, std::move(request), deadline, nullptr);
    }

    /// Like `send`, but the body of a 2xx answer goes to the sink as it arrives, for answers that
    /// are long or never end.
    ///
    /// Completes like `send`; `Response::body` is empty where the sink was given it. A sink that
    /// returns false completes the call with the response. The body of any other status is
    /// collected. `limits.max_body_bytes` does not hold for what is streamed (a piece is at most
    /// `limits.max_buffer_bytes`), and `timeouts.attempt` only up to the header.
    ///
    /// Errors are those of `send`, and
    /// - `invalid_argument`: there is no sink, or `timeouts` makes no sense,
    /// - `timeout`: a silence longer than `timeouts.idle`, or the end of `timeouts.deadline`,
    /// - `unavailable`: `limits.max_streams` answers are being streamed already,
    /// - `internal`: the sink threw; nothing else is harmed by it.
    ///
    /// Pieces that came before an error have been given to the sink; an error after the header has
    /// the answer's `http_status`. Connections are used again
    /// only after an answer that ended properly.
    ///
    /// Streams are counted apart: however many are open, `send` has all of
    /// `limits.max_connections`, and a stream neither queues nor lets anybody queue.
    ///
    /// Cancellation: as with `send`.
    ///
    /// Thread safety: the sink is called on the client's executor, one call at a time, and may be
    /// called until the stream has completed, also while it is being cancelled or the client
    /// destroyed. So it should own what it uses; it is destroyed before the stream completes. It
    /// must not block: nothing more is read until it returns.
    template <wva_metrics::detail::IfUsed = wva_metrics::detail::IfUsed::compile>
    asio::awaitable<Result<Response>> stream(Request request, BodySink sink,
                                             StreamTimeouts timeouts) {
        const TimePoint deadline = timeouts.deadline;
        return start(endpoint_, std::move(request), deadline,
                     std::make_unique<detail::Streaming>(std::move(sink), timeouts));
    }

    /// `scheme://host:port`, without credentials; empty where the configuration is unsound.
    std::string endpoint() const {
        return endpoint_->problems.empty() ? endpoint_->url.origin() : std::string();
    }

    /// Connections that are kept for later.
    std::size_t idle_connections() const { return endpoint_->pool.idle(); }

private:
    using EndpointPtr = std::shared_ptr<detail::Endpoint>;
    /// Null = the body is collected.
    using StreamingPtr = std::unique_ptr<const detail::Streaming>;

    static TimePoint now() { return std::chrono::steady_clock::now(); }

    // From here on nothing touches the client itself, which may be gone.
    template <wva_metrics::detail::IfUsed = wva_metrics::detail::IfUsed::compile>
    static asio::awaitable<Result<Response>> start(EndpointPtr endpoint, Request request,
                                                   TimePoint deadline, StreamingPtr streaming) {
        if (!endpoint->problems.empty()) {
            std::string text = "the configuration of the HTTP client is unsound";
            const char* separator = ": ";
            for (const std::string& problem : endpoint->problems) {
                text += std::exchange(separator, "; ") + problem;
            }
            co_return Error(Errc::invalid_config, std::move(text));
        }
        std::optional<Error> problem = detail::check_request(request);
        if (!problem && streaming)
            problem = check_streaming(*streaming);
        if (problem) {
            problem->endpoint = endpoint->url.origin();
            co_return *std::move(problem);
        }
        co_return co_await asio::async_initiate<const asio::deferred_t,
                                                void(std::exception_ptr, Result<Response>)>(
            Spawn{}, asio::deferred, std::move(endpoint), std::move(request), deadline,
            std::move(streaming));
    }

    static std::optional<Error> check_streaming(const detail::Streaming& streaming) {
        const Duration idle = streaming.timeouts.idle;
        if (!streaming.sink)
            return Error(Errc::invalid_argument, "a stream needs a sink that takes its pieces");
        if (idle <= Duration::zero() || idle > std::chrono::hours(24))
            return Error(Errc::invalid_argument,
                         "StreamTimeouts::idle must be positive and at most a day");
        return std::nullopt;
    }

    /// Starts `run` on a strand of its own, to be stopped by the awaiting coroutine's cancellation.
    ///
    /// No coroutine, so that nothing of the client's execution context stays in a frame of the
    /// caller's: that frame may be destroyed later than the client's context.
    struct Spawn {
        template <typename Handler>
        void operator()(Handler handler, EndpointPtr endpoint, Request request, TimePoint deadline,
                        StreamingPtr streaming) const {
            const std::optional<asio::any_io_executor> executor = endpoint->executor();
            if (!executor) {
                const auto own = asio::get_associated_executor(handler);
                asio::post(own, [handler = std::move(handler),
                                 error = endpoint->aborted()]() mutable {
                    std::move(handler)(std::exception_ptr(), Result<Response>(std::move(error)));
                });
                return;
            }
            auto call = std::make_shared<detail::Call>(*executor);
            asio::cancellation_slot slot = asio::get_associated_cancellation_slot(handler);
            if (slot.is_connected()) {
                slot.assign([weak = std::weak_ptr(call)](asio::cancellation_type) {
                    if (const auto running = weak.lock())
                        running->post_stop(detail::Call::Stop::cancelled);
                });
            }
            const asio::any_io_executor strand = call->strand();
            asio::co_spawn(
                strand,
                run(std::move(endpoint), std::move(call), std::move(request), deadline,
                    std::move(streaming)),
                asio::bind_cancellation_slot(asio::cancellation_slot(), std::move(handler)));
        }
    };

    template <wva_metrics::detail::IfUsed = wva_metrics::detail::IfUsed::compile>
    static asio::awaitable<Result<Response>>
    run(EndpointPtr endpoint, std::shared_ptr<detail::Call> call, Request request,
        TimePoint deadline, StreamingPtr streaming) {
        const detail::OpenCalls::Registration registration(*endpoint->calls, *call);
        if (!registration.is_open())
            co_return endpoint->aborted();
        try {
            const detail::Deadline until{deadline};
            if (until.at <= now())
                co_return endpoint->error(
                    Errc::timeout, "the caller's deadline had passed before anything was sent");
            std::optional<detail::ConnectionPool::StreamPlace> stream_place;
            std::optional<detail::ConnectionPool::Place> place;
            if (streaming) {
                if (!stream_place.emplace(endpoint->pool).is_granted())
                    co_return too_many_streams(*endpoint);
            } else if (!place.emplace(endpoint->pool, *call).is_granted_at_once()) {
                if (std::optional<Error> problem = co_await queue(*endpoint, *call, *place, until))
                    co_return *std::move(problem);
            }
            if (call->is_aborted())
                co_return endpoint->aborted();

            Result<std::string> authorization = endpoint->credentials.authorization(now());
            if (!authorization)
                co_return endpoint->error(Errc::invalid_config, authorization.error().message);
            for (bool is_renewed = false;; is_renewed = true) {
                // Before the attempt begins: to copy a large body must not count as its time.
                std::string bytes =
                    write_request(*endpoint, request, *authorization, streaming != nullptr);
                detail::Attempt attempt(endpoint, *call, until, streaming.get());
                Result<Response> response = co_await attempt.send(std::move(bytes));
                if (is_renewed || !response || response->status != 401)
                    co_return response;
                endpoint->credentials.refused(*authorization);
                Result<std::string> renewed = endpoint->credentials.authorization(now());
                if (!renewed || *renewed == *authorization)
                    co_return response;
                authorization = std::move(renewed);
            }
        } catch (const std::exception& error) {
            co_return endpoint->error(Errc::internal, error.what());
        }
    }

    /// Waits for a place in the pool that is not free yet.
    template <wva_metrics::detail::IfUsed = wva_metrics::detail::IfUsed::compile>
    static asio::awaitable<std::optional<Error>>
    queue(detail::Endpoint& endpoint, detail::Call& call,
          const detail::ConnectionPool::Place& place, detail::Deadline deadline) {
        using State = detail::ConnectionPool::State;
        const std::string busy = "all limits.max_connections = " +
                                 std::to_string(endpoint.config.limits.max_connections) +
                                 " connections are in use";
        if (place.state() == State::refused)
            co_return endpoint.error(Errc::unavailable,
                                     busy + " and limits.max_queued = " +
                                         std::to_string(endpoint.config.limits.max_queued) +
                                         " calls wait for one; ask less often or raise a limit");
        endpoint.calls->expire_at(call, deadline.at);
        while (place.state() == State::queued && !call.is_stopped())
            co_await call.wait();
        if (call.is_aborted())
            co_return endpoint.aborted();
        if (call.is_expired())
            co_return endpoint.error(Errc::timeout,
                                     busy + ", and none became free before the caller's deadline");
        co_return std::nullopt;
    }

    static Error too_many_streams(const detail::Endpoint& endpoint) {
        return endpoint.error(
            Errc::unavailable,
            "limits.max_streams = " + std::to_string(endpoint.config.limits.max_streams) +
                " answers are being streamed already; end one or raise the limit");
    }

    static std::string write_request(const detail::Endpoint& endpoint, const Request& request,
                                     const std::string& authorization, bool is_streaming) {
        // A decompressor wants the whole of a body.
        const Decompressor* const decompressor =
            is_streaming ? nullptr : endpoint.config.decompressor.get();
        const std::string_view coding =
            decompressor == nullptr ? std::string_view("identity") : decompressor->coding();
        return detail::write_request(request, endpoint.url, endpoint.headers, coding,
                                     authorization);
    }

    EndpointPtr endpoint_;
    wva_metrics::detail::ContextHook hook_;
};

} // namespace wva_metrics::http
