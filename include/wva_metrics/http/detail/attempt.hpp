// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/if_used.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/http/detail/call.hpp"
#include "wva_metrics/http/detail/call_registry.hpp"
#include "wva_metrics/http/detail/connection_pool.hpp"
#include "wva_metrics/http/detail/deadline.hpp"
#include "wva_metrics/http/detail/endpoint.hpp"
#include "wva_metrics/http/detail/resolver_cache.hpp"
#include "wva_metrics/http/detail/response_reader.hpp"
#include "wva_metrics/http/message.hpp"
#include "wva_metrics/http/streaming.hpp"
#include "wva_metrics/http/transport.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/system/error_code.hpp>

#include <chrono>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics::http::detail {

/// A caller's wish to have the body piece by piece.
struct Streaming {
    Streaming(BodySink receiver, const StreamTimeouts& bounds)
        : sink(std::move(receiver)), timeouts(bounds) {}

    BodySink sink;
    StreamTimeouts timeouts;
};

/// One attempt to get a request answered: look up, connect, secure, write, read. On the call's
/// strand; the endpoint, the call and the wish to stream (null = none) outlive it.
class Attempt {
public:
    Attempt(const std::shared_ptr<Endpoint>& endpoint, Call& call, const Deadline& caller,
            const Streaming* streaming)
        : endpoint_(endpoint), call_(call), streaming_(streaming), caller_(caller),
          deadline_(earlier(caller, Deadline::after(std::chrono::steady_clock::now(),
                                                    endpoint->config.timeouts.attempt,
                                                    "timeouts.attempt"))) {}

    /// Sends over an idle connection if there is one. If that turns out to be dead (it ended before
    /// any byte of an answer came), the request goes over a new one: all our requests are
    /// questions, so asking twice is harmless.
    template <wva_metrics::detail::IfUsed = wva_metrics::detail::IfUsed::compile>
    asio::awaitable<Result<Response>> send(std::string bytes) {
        Connection connection = endpoint_->pool.take(now());
        for (bool is_reused = connection.stream != nullptr;; is_reused = false) {
            if (!connection.stream) {
                Result<std::unique_ptr<Stream>> connected = co_await connect();
                if (!connected)
                    co_return std::move(connected).error();
                connection.stream = *std::move(connected);
            }
            Stream& stream = *connection.stream;
            begin_exchange();
            const StreamUse use(call_, stream);
            const IoResult written = co_await stream.write(asio::buffer(bytes));
            // A server may refuse a request before it has read all of it, and then there is an
            // answer to read.
            ResponseReader reader = make_reader(std::move(connection.buffer));
            std::optional<Outcome> outcome;
            if (call_.is_stopped())
                outcome = failed(reader, stream, written.error);
            while (!outcome) {
                const IoResult got = co_await stream.read_some(reader.prepare());
                outcome = take_in(reader, stream, written, got);
            }
            if (!is_reused || !outcome->was_dead || call_.is_stopped()) {
                if (outcome->is_reusable && !call_.is_stopped())
                    endpoint_->pool.put({std::move(connection.stream), reader.take_buffer()},
                                        now());
                co_return std::move(outcome->response);
            }
            connection = {};
        }
    }

private:
    struct Outcome {
        Result<Response> response;
        bool is_reusable = false;
        /// The connection ended before any byte of an answer came.
        bool was_dead = false;
    };

    static TimePoint now() { return std::chrono::steady_clock::now(); }

    void expire_at(TimePoint at) { endpoint_->calls->expire_at(call_, at); }

    Deadline step(Duration length, std::string_view name) const {
        return earlier(deadline_, Deadline::after(now(), length, name));
    }

    /// Why a step ended early: time, the client's end, the caller's cancellation, or what the
    /// system says.
    Error failure(const Deadline& deadline, const char* what, Errc code,
                  const boost::system::error_code& error) const {
        if (call_.is_expired())
            return endpoint_->error(Errc::timeout, std::string(what) + " " + deadline.describe());
        if (call_.is_aborted() || error == asio::error::operation_aborted)
            return endpoint_->aborted();
        return endpoint_->error(code, std::string(what) + ": " + error.message());
    }

    template <wva_metrics::detail::IfUsed = wva_metrics::detail::IfUsed::compile>
    asio::awaitable<Result<AddressBook::Addresses>> look_up() {
        const Deadline deadline = step(endpoint_->config.timeouts.resolve, "timeouts.resolve");
        expire_at(deadline.at);
        const AddressBook::Waiter waiter(endpoint_->addresses, call_);
        if (waiter.must_ask())
            ask();
        while (!waiter.is_answered() && !call_.is_stopped())
            co_await call_.wait();
        // Of an aborted call no stream would be closed any more, and connecting might never end.
        if (call_.is_aborted() || !waiter.is_answered())
            co_return failure(deadline, "the host name was not resolved", Errc::name_lookup_failed,
                              {});
        if (waiter.error() || waiter.addresses().empty()) {
            const std::string reason =
                waiter.error() ? waiter.error().message() : std::string("it has no address");
            co_return endpoint_->error(Errc::name_lookup_failed,
                                       "the host name " + endpoint_->url.host +
                                           " was not resolved: " + reason);
        }
        co_return waiter.addresses();
    }

    void ask() {
        const auto answer = [weak =
                                 std::weak_ptr(endpoint_)](const boost::system::error_code& error,
                                                           AddressBook::Addresses found) {
            if (const auto endpoint = weak.lock())
                endpoint->addresses.answer(error, std::move(found), now());
        };
        const std::optional<asio::any_io_executor> executor = endpoint_->executor();
        if (!executor)
            return;
        try {
            endpoint_->transport->look_up(*executor, endpoint_->url.host, endpoint_->url.port,
                                          answer);
        } catch (const boost::system::system_error& error) {
            answer(error.code(), {});
        }
    }

    /// A new connection, ready for a request.
    template <wva_metrics::detail::IfUsed = wva_metrics::detail::IfUsed::compile>
    asio::awaitable<Result<std::unique_ptr<Stream>>> connect() {
        std::optional<AddressBook::Addresses> addresses = endpoint_->addresses.find(now());
        if (!addresses) {
            Result<AddressBook::Addresses> found = co_await look_up();
            if (!found)
                co_return std::move(found).error();
            addresses = *std::move(found);
        }
        const std::optional<asio::any_io_executor> executor = endpoint_->executor();
        if (!executor)
            co_return endpoint_->aborted();
        std::unique_ptr<Stream> stream = endpoint_->transport->make_stream(*executor);
        const StreamUse use(call_, *stream);

        const Deadline deadline = step(endpoint_->config.timeouts.connect, "timeouts.connect");
        boost::system::error_code error = asio::error::host_not_found;
        for (std::size_t i = 0; i < addresses->size() && error; ++i) {
            // An address that swallows packets must leave time for the next one.
            const Duration left = deadline.at - now();
            expire_at(now() + left / static_cast<Duration::rep>(addresses->size() - i));
            error = co_await stream->connect((*addresses)[i]);
            if (call_.is_aborted())
                co_return failure(deadline, "no connection was established", Errc::unreachable,
                                  error);
            // Expired at the very moment it succeeded: it has been closed.
            if (call_.is_expired() && !error)
                error = asio::error::timed_out;
            if (!error)
                endpoint_->addresses.prefer((*addresses)[i]);
        }
        if (error) {
            endpoint_->addresses.forget();
            co_return failure(deadline, "no connection was established", Errc::unreachable, error);
        }
        if (std::optional<Error> problem = co_await secure(*stream))
            co_return *std::move(problem);
        co_return std::move(stream);
    }

    template <wva_metrics::detail::IfUsed = wva_metrics::detail::IfUsed::compile>
    asio::awaitable<std::optional<Error>> secure(Stream& stream) {
        const Deadline deadline =
            step(endpoint_->config.timeouts.tls_handshake, "timeouts.tls_handshake");
        expire_at(deadline.at);
        HandshakeResult result = co_await stream.handshake(endpoint_->url.host_name());
        if (call_.is_stopped())
            co_return failure(deadline, "the TLS handshake did not end", Errc::tls_failed,
                              result.error);
        if (result.error)
            co_return endpoint_->error(stream.is_tls_error(result.error) ? Errc::tls_failed
                                                                         : Errc::unreachable,
                                       "the TLS handshake failed: " + result.reason);
        co_return std::nullopt;
    }

    /// Sets the time of what follows: writing the request, and reading its answer.
    void begin_exchange() {
        exchange_ = streaming_ == nullptr ? deadline_ : until_silent(deadline_);
        expire_at(exchange_.at);
    }

    ResponseReader make_reader(boost::beast::flat_buffer buffer) const {
        using Mode = ResponseReader::Mode;
        return ResponseReader(endpoint_->config.limits,
                              streaming_ == nullptr ? Mode::collect : Mode::stream,
                              endpoint_->config.decompressor.get(), std::move(buffer));
    }

    /// Judges what has been read. Nothing where there is more to read.
    std::optional<Outcome> take_in(ResponseReader& reader, const Stream& stream,
                                   const IoResult& written, const IoResult& got) {
        if (call_.is_stopped() || (got.error && got.error != asio::error::eof))
            return failed(reader, stream, written.error ? written.error : got.error);
        const bool at_end = got.error == asio::error::eof;
        const bool was_streaming = reader.is_streaming();
        Result<ResponseReader::Progress> progress =
            at_end ? reader.finish() : reader.commit(got.bytes);
        const bool is_alive = reader.is_streaming() && (!was_streaming || !reader.piece().empty());
        if (is_alive) {
            const Result<bool> goes_on = hand_out(reader);
            if (!goes_on)
                return Outcome{goes_on.error()};
            if (!*goes_on)
                return Outcome{reader.take()};
        }
        if (!progress) {
            Outcome outcome{with_endpoint(std::move(progress).error(), reader)};
            outcome.was_dead = !reader.is_started();
            return outcome;
        }
        if (*progress == ResponseReader::Progress::complete) {
            Outcome outcome{reader.take()};
            outcome.is_reusable = !written.error && !at_end && reader.is_reusable();
            return outcome;
        }
        if (is_alive) {
            exchange_ = until_silent(caller_);
            // Never left to the timer alone: a busy stream would set it anew each time before it is
            // heard.
            if (exchange_.at <= now())
                call_.expire();
            else
                expire_at(exchange_.at);
        }
        if (call_.is_stopped())
            return failed(reader, stream, written.error);
        return std::nullopt;
    }

    /// The end of the silence that a stream may keep from now on, or of all, if that is earlier.
    Deadline until_silent(const Deadline& all) const {
        return earlier(all,
                       Deadline::after(now(), streaming_->timeouts.idle, "StreamTimeouts::idle"));
    }

    /// Gives the sink what has arrived. Returns whether it wants more.
    Result<bool> hand_out(ResponseReader& reader) const {
        if (reader.piece().empty())
            return true;
        std::string reason = "something that is no std::exception";
        try {
            const bool goes_on = streaming_->sink(reader.piece());
            reader.drop_piece();
            return goes_on;
        } catch (const std::exception& error) {
            reason = error.what();
        } catch (...) {
        }
        return endpoint_->error(Errc::internal,
                                "the sink of a streamed answer threw an exception: " + reason);
    }

    /// A streamed answer that breaks off has had a status all the same.
    Error with_endpoint(Error error, const ResponseReader& reader) const {
        error.endpoint = endpoint_->url.origin();
        if (reader.is_streaming())
            error.http_status = reader.status();
        return error;
    }

    Outcome failed(const ResponseReader& reader, const Stream& stream,
                   const boost::system::error_code& error) const {
        const Errc code = stream.is_tls_error(error) ? Errc::tls_failed : Errc::unreachable;
        const char* what =
            reader.is_started() ? "the answer did not arrive completely" : "no answer arrived";
        if (reader.is_streaming() && call_.is_expired() && !exchange_.name.empty())
            what = "nothing more of the streamed answer arrived";
        Outcome outcome{with_endpoint(failure(exchange_, what, code, error), reader)};
        outcome.was_dead = !reader.is_started() && error != asio::error::operation_aborted;
        return outcome;
    }

    std::shared_ptr<Endpoint> endpoint_;
    Call& call_;
    const Streaming* streaming_;
    /// The bound of the whole call.
    Deadline caller_;
    /// The bound of this attempt; of a streamed one, until its header.
    Deadline deadline_;
    /// The bound of what is being written or read.
    Deadline exchange_;
};

} // namespace wva_metrics::http::detail
