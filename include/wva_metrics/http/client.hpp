// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/checked_config.hpp"
#include "wva_metrics/detail/context_hook.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/http/config.hpp"
#include "wva_metrics/http/message.hpp"
#include "wva_metrics/http/secret_mask.hpp"
#include "wva_metrics/http/streaming.hpp"
#include "wva_metrics/reading.hpp"
#include "wva_metrics/resilience/protection_stats.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

namespace wva_metrics::http {

namespace detail {
template <typename Executor>
class Endpoint;
} // namespace detail

/// An HTTP/1.1 client of one endpoint. It keeps connections open for later requests, and everything
/// in it has a limit.
///
/// It is a class template on its executor, as Asio's I/O objects are. So its members, and the
/// coroutines that they call, are compiled only in programs that use them: GCC compiles every
/// inline coroutine that is not a template, used or not.
///
/// **Threads:** safe. Each call runs on a strand of its own on the client's executor, and completes
/// on its caller's executor. So a socket is never used by two threads concurrently, whatever the
/// caller's executor is.
///
/// **Lifetime:** the client may be destroyed while calls are pending, before or after its execution
/// context, but not on another thread while the context is being destroyed. Pending calls then
/// complete with `Errc::aborted`, or are destroyed with the context. A caller on another execution
/// context must not destroy that context before the client's while its call is pending, as with any
/// Asio operation.
template <typename Executor = asio::any_io_executor>
class BasicClient {
public:
    /// The executor of all I/O.
    using executor_type = Executor;
    /// The client type for another executor.
    template <typename OtherExecutor>
    struct rebind_executor {
        /// The client on `OtherExecutor`.
        using other = BasicClient<OtherExecutor>;
    };

    /// Sends nothing. Throws `ResultError` with `Errc::invalid_config` and all problems that
    /// `validate(config)` finds.
    BasicClient(Executor executor, ClientConfig config);
    /// As the constructor, for programs that do not catch exceptions. The client cannot be moved
    /// out of the result.
    ///
    /// **Parameters:**
    /// - `executor`: the executor of all I/O.
    /// - `config`: the endpoint, and how to reach it.
    ///
    /// **Errors:** `invalid_config`: what the constructor throws.
    ///
    /// **Threads:** any thread.
    static Result<BasicClient> make(Executor executor, ClientConfig config) {
        return wva_metrics::detail::make_result<BasicClient>(std::move(executor),
                                                             std::move(config));
    }
    ~BasicClient();
    BasicClient(const BasicClient&) = delete;
    BasicClient& operator=(const BasicClient&) = delete;

    /// Sends a request and reads the answer.
    ///
    /// **Parameters:**
    /// - `request`: see `Request::get` and `Request::post`.
    /// - `deadline`: bounds the whole call, including the time in the queue.
    ///
    /// **Completes:** with the answer, whatever its HTTP status is. On 401 the token file is read
    /// again, or the token provider asked; if the token changed, the request is sent once more. A
    /// request that fails in a way that may pass (no connection, a lost one, a cut off answer, 408,
    /// 425, 429, 502, 503, 504) is sent again after a random wait, as `ClientConfig::protection` says,
    /// and within `deadline`; the call completes with the outcome of the last attempt. A `Retry-After`
    /// of 429 and 503 is obeyed. If `protection.hedging` is enabled, a slow request is sent a second
    /// time while the first one waits.
    ///
    /// **Errors:**
    /// - `invalid_argument`: the request is invalid. Nothing was sent.
    /// - `invalid_config`: the token file cannot be used, or the files of TLS cannot. Nothing was
    ///   sent. If a token provider fails, the error is its own.
    /// - `name_lookup_failed`, `unreachable`, `tls_failed`, `timeout`: see `Errc`.
    /// - `unavailable`: `limits.max_queued` calls are waiting for a connection already; or nothing was
    ///   sent, because the circuit breaker of the endpoint is open or the server has asked for a pause.
    ///   The message says since when, why, and until when.
    /// - `rejected`: the server redirected the request, and `limits.max_redirects` is positive, but
    ///   this redirect must not be followed.
    /// - `too_large`, `bad_response`: the answer exceeds a limit, is not valid HTTP, or is
    ///   compressed in a way that was not offered.
    /// - `aborted`: the call was cancelled, or the client was destroyed.
    ///
    /// **Cancellation:** terminal: closes the connection and completes with `Errc::aborted`. Emit
    /// the signal on the caller's strand.
    ///
    /// **Threads:** any thread.
    asio::awaitable<Result<Response>> send(Request request, TimePoint deadline);

    /// As `send`, but passes the body of a 2xx answer to a sink as it arrives, for answers that are
    /// too large to be kept. All limits apply, `limits.max_body_bytes` too.
    ///
    /// A compressed body is decompressed when it is complete, and then passed in one piece.
    ///
    /// **Parameters:**
    /// - `request`, `deadline`: as for `send`.
    /// - `sink`: receives the body in pieces of at most `limits.max_buffer_bytes` (a compressed body
    ///   in one piece); ends the call by returning false. It receives the body of one answer only,
    ///   even if the request is sent twice.
    /// - `on_head`: called like the sink, before it; may be empty. If the request is sent again before
    ///   the sink has received a piece, it is called again.
    ///
    /// **Completes:** as `send`, when the answer is complete or the sink has ended the call. The
    /// request is not sent again after the sink has received a piece. If the sink received the body,
    /// `Response::body` is empty; the body of any other status is collected. If the sink ended the
    /// call, the connection is closed. If the call completes with an error, the pieces that arrived
    /// before have been passed to the sink.
    ///
    /// **Errors:** those of `send`; they have the status of the answer if the sink has received a
    /// piece. And
    /// - `invalid_argument`: there is no sink.
    /// - `internal`: the sink threw. Other calls are not affected.
    ///
    /// **Cancellation:** terminal: as for `send`.
    ///
    /// **Threads:** any thread. The sink is called as that of `stream`: on the client's executor,
    /// also while the call is being cancelled or the client destroyed, so it should own what it uses
    /// and must not block. It is destroyed before the call completes.
    asio::awaitable<Result<Response>> send(Request request, TimePoint deadline, BodySink sink,
                                           HeadCallback on_head = {});

    /// Sends a request and passes the body of a 2xx answer to a sink as it arrives, for answers
    /// that are long or never end.
    ///
    /// A stream never waits in the queue and does not count towards `limits.max_connections`,
    /// because streams have their own limit, `limits.max_streams`.
    ///
    /// **Parameters:**
    /// - `request`: as for `send`.
    /// - `sink`: receives the body in pieces of at most `limits.max_buffer_bytes`; ends the stream
    ///   by returning false. `limits.max_body_bytes` does not apply to what it receives.
    /// - `timeouts`: bound the stream after its header. `timeouts.attempt` of the configuration
    ///   applies until the header is read.
    /// - `on_opened`: called like the sink, once, when the header of a 2xx answer has been read; may
    ///   be empty. The body may begin much later.
    ///
    /// **Completes:** as `send`, when the answer or the sink has ended the stream. A stream that fails
    /// is not sent again: where to go on is known to its caller only. If the sink received the body,
    /// `Response::body` is empty; the body of any other status is collected. The connection is used
    /// again only if its answer ended properly. If the stream completes with an error, the pieces
    /// that arrived before have been passed to the sink.
    ///
    /// **Errors:** those of `send`, and those below. An error after the header has the answer's
    /// `http_status`.
    /// - `invalid_argument`: there is no sink, or `timeouts.idle` is out of range.
    /// - `timeout`: nothing arrived for `timeouts.idle`, or `timeouts.deadline` has passed.
    /// - `unavailable`: `limits.max_streams` streams are open already.
    /// - `internal`: the sink threw. Other calls are not affected.
    ///
    /// **Cancellation:** terminal: as for `send`.
    ///
    /// **Threads:** any thread. The sink is called on the client's executor, one call at a time,
    /// and nothing more is read until it returns, so it must not block. It may be called until the
    /// stream has completed, also while the stream is being cancelled or the client destroyed, so
    /// it should own what it uses. It is destroyed before the stream completes.
    asio::awaitable<Result<Response>>
    stream(Request request, BodySink sink, StreamTimeouts timeouts, OpenedCallback on_opened = {});

    /// The executor of all I/O. Its execution context must still exist.
    executor_type get_executor() const;

    /// `scheme://host:port`, without credentials.
    std::string endpoint() const;

    /// Closes the connections that no call uses. For decoders of bodies: after an answer that is not
    /// what was asked for, whatever is at the other end of its connection must not be asked again.
    void close_idle_connections();

    /// Hides the client's secrets in texts that contain something of an answer. The errors of the
    /// client itself have been masked already.
    std::shared_ptr<SecretMask> secret_mask() const;

    /// Number of open connections that no call uses.
    std::size_t idle_connections() const;

    /// What protects the endpoint at the moment, and what it has done so far. Any thread.
    resilience::ProtectionStats protection_stats() const;

private:
    const std::shared_ptr<detail::Endpoint<Executor>> endpoint_;
    wva_metrics::detail::ContextHook hook_;
};

/// A client on any executor.
using Client = BasicClient<>;

} // namespace wva_metrics::http

#ifdef WVA_METRICS_SEPARATE_COMPILATION
extern template class wva_metrics::http::BasicClient<boost::asio::any_io_executor>;
#else
#include "wva_metrics/http/impl/client.hpp"
#endif
