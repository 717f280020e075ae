// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/http/detail/call.hpp"
#include "wva_metrics/http/detail/connection_pool.hpp"
#include "wva_metrics/http/detail/deadline.hpp"
#include "wva_metrics/http/detail/endpoint.hpp"
#include "wva_metrics/http/detail/resolver_cache.hpp"
#include "wva_metrics/http/transport.hpp"
#include "wva_metrics/reading.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/error.hpp>
#include <boost/system/error_code.hpp>
#include <boost/system/system_error.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace wva_metrics::http::detail {

/// Opens a connection: resolves the host name, connects to one of its addresses, and secures the
/// connection. Each step has a deadline of its own. On the call's strand; the endpoint and the call
/// must outlive the operation.
template <typename Executor>
class ConnectOp {
public:
    /// `deadline`: bounds all steps together. `only`: the address to connect to, instead of all
    /// addresses of the host.
    ConnectOp(const std::shared_ptr<Endpoint<Executor>>& endpoint, Call<Executor>& call,
              const Deadline& deadline, std::optional<tcp::endpoint> only = {})
        : endpoint_(endpoint), call_(call), deadline_(deadline), only_(std::move(only)) {}

    /// Completes with a connection that is ready for a request.
    asio::awaitable<Result<Connection>> run() {
        std::optional<ResolverCache::Addresses> addresses = endpoint_->resolver.find(now());
        if (only_)
            addresses = ResolverCache::Addresses{*only_};
        if (!addresses) {
            Result<ResolverCache::Addresses> resolved = co_await resolve();
            if (!resolved)
                co_return std::move(resolved).error();
            addresses = *std::move(resolved);
        }
        const std::optional<Executor> executor = endpoint_->executor();
        if (!executor)
            co_return endpoint_->aborted_error();
        for (bool is_retry = false;; is_retry = true) {
            Result<std::unique_ptr<Stream>> made = make_stream(*executor);
            if (!made)
                co_return std::move(made).error();
            Connection connection{*std::move(made)};
            const ActiveStream<Executor> active(call_, *connection.stream);
            if (std::optional<Error> problem = co_await connect(connection, *addresses))
                co_return *std::move(problem);
            std::optional<Error> problem = co_await secure(*connection.stream);
            if (!problem)
                co_return std::move(connection);
            // A certificate may have been replaced just now.
            if (!is_retry && !call_.is_stopped() && connection.stream->reread_trust())
                continue;
            if (!call_.is_aborted())
                endpoint_->avoid(connection.address, now());
            co_return *std::move(problem);
        }
    }

private:
    static TimePoint now() { return std::chrono::steady_clock::now(); }

    void expire_at(TimePoint time) { endpoint_->calls->expire_at(call_, time); }

    Deadline step_deadline(Duration length, std::string_view name) const {
        return earlier(deadline_, Deadline::after(now(), length, name));
    }

    Result<std::unique_ptr<Stream>> make_stream(const Executor& executor) const {
        try {
            return endpoint_->transport->make_stream_to(executor, endpoint_->url);
        } catch (const ResultError& failure) {
            Error error = failure.error();
            error.endpoint = endpoint_->url.origin();
            return error;
        }
    }

    asio::awaitable<Result<ResolverCache::Addresses>> resolve() {
        const Deadline deadline =
            step_deadline(endpoint_->config.timeouts.resolve, "timeouts.resolve");
        expire_at(deadline.at);
        const ResolverCache::Waiter waiter(endpoint_->resolver, call_);
        if (waiter.is_leader())
            start_lookup();
        while (!waiter.is_complete() && !call_.is_stopped())
            co_await call_.wait();
        // An aborted call must not go on: it would not close its stream, so connecting might never
        // end.
        if (call_.is_aborted() || !waiter.is_complete())
            co_return endpoint_->step_error(call_, deadline, "the host name was not resolved",
                                            Errc::name_lookup_failed, {});
        if (waiter.error() || waiter.addresses().empty()) {
            const std::string reason =
                waiter.error() ? waiter.error().message() : std::string("it has no address");
            co_return endpoint_->error(Errc::name_lookup_failed,
                                       "the host name " + endpoint_->next_hop().host +
                                           " was not resolved: " + reason);
        }
        co_return waiter.addresses();
    }

    void start_lookup() {
        const auto complete = [weak =
                                   std::weak_ptr(endpoint_)](const boost::system::error_code& error,
                                                             ResolverCache::Addresses addresses) {
            if (const auto endpoint = weak.lock())
                endpoint->resolver.complete(error, std::move(addresses), now());
        };
        const std::optional<Executor> executor = endpoint_->executor();
        if (!executor)
            return;
        try {
            const Url& next_hop = endpoint_->next_hop();
            endpoint_->transport->resolve(*executor, next_hop.host, next_hop.port, complete);
        } catch (const boost::system::system_error& error) {
            complete(error.code(), {});
        }
    }

    /// Tries the addresses in turn.
    asio::awaitable<std::optional<Error>> connect(Connection& connection,
                                                  const ResolverCache::Addresses& addresses) {
        const Deadline deadline =
            step_deadline(endpoint_->config.timeouts.connect, "timeouts.connect");
        boost::system::error_code error = asio::error::host_not_found;
        for (std::size_t i = 0; i < addresses.size() && error; ++i) {
            // An address that drops packets must leave time for the next one.
            const Duration left = deadline.at - now();
            expire_at(now() + left / static_cast<Duration::rep>(addresses.size() - i));
            connection.address = addresses[i];
            error = co_await connection.stream->connect(addresses[i]);
            if (call_.is_aborted())
                break;
            // It connected and expired at the same moment: the stream has been closed.
            if (call_.is_expired() && !error)
                error = asio::error::timed_out;
            if (error)
                endpoint_->avoid(addresses[i], now());
        }
        if (!error && !call_.is_aborted())
            co_return std::nullopt;
        if (!call_.is_aborted() && !only_)
            endpoint_->resolver.expire();
        std::string what = "no connection was established";
        if (endpoint_->proxy)
            what += " through the proxy " + endpoint_->proxy->origin();
        co_return endpoint_->step_error(call_, deadline, what, Errc::unreachable, error,
                                        connection.stream->explain(error));
    }

    asio::awaitable<std::optional<Error>> secure(Stream& stream) {
        const Deadline deadline =
            step_deadline(endpoint_->config.timeouts.tls_handshake, "timeouts.tls_handshake");
        expire_at(deadline.at);
        HandshakeResult result = co_await stream.handshake(endpoint_->url.host_name());
        if (call_.is_stopped())
            co_return endpoint_->step_error(call_, deadline, "the TLS handshake did not end",
                                            Errc::tls_failed, result.error);
        if (result.error)
            co_return endpoint_->error(stream.is_tls_error(result.error) ? Errc::tls_failed
                                                                         : Errc::unreachable,
                                       "the TLS handshake failed: " + result.reason);
        co_return std::nullopt;
    }

    const std::shared_ptr<Endpoint<Executor>>& endpoint_;
    Call<Executor>& call_;
    const Deadline& deadline_;
    const std::optional<tcp::endpoint> only_;
};

} // namespace wva_metrics::http::detail
