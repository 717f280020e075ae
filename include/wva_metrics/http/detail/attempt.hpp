// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/http/detail/body_options.hpp"
#include "wva_metrics/http/detail/call.hpp"
#include "wva_metrics/http/detail/connect_op.hpp"
#include "wva_metrics/http/detail/connection_pool.hpp"
#include "wva_metrics/http/detail/deadline.hpp"
#include "wva_metrics/http/detail/endpoint.hpp"
#include "wva_metrics/http/detail/exchange_op.hpp"
#include "wva_metrics/http/detail/guarded_request.hpp"
#include "wva_metrics/http/message.hpp"
#include "wva_metrics/http/transport.hpp"
#include "wva_metrics/reading.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace wva_metrics::http::detail {

/// One attempt to get an answer to a request, over an idle connection or a new one. On the call's
/// strand; everything that is passed in must outlive it.
template <typename Executor>
class Attempt {
public:
    Attempt(const std::shared_ptr<Endpoint<Executor>>& endpoint, Call<Executor>& call,
            GuardedRequest& guarded, const Deadline& call_deadline, const BodyOptions& options)
        : endpoint_(endpoint), call_(call), guarded_(guarded),
          options_(options), deadlines_{call_deadline,
                                        earlier(call_deadline,
                                                Deadline::after(started_,
                                                                endpoint->config.timeouts.attempt,
                                                                "timeouts.attempt"))} {}

    /// Sends over an idle connection if there is one. If that connection turns out to be dead (it
    /// ended before any byte of an answer arrived, so the sink has received nothing), sends over a
    /// new one: all requests are queries, so sending one twice does no harm. Likewise once if a new
    /// connection was lost so, and the certificates have been replaced since it was made.
    ///
    /// If it is time to try an address again that has failed, sends to that address first, within a
    /// quarter of the time.
    asio::awaitable<Result<Response>> send(std::string bytes) {
        std::optional<tcp::endpoint> probed = endpoint_->resolver.claim_probe(started_);
        Connection connection;
        if (!probed)
            connection = endpoint_->pool.take(started_);
        bool may_reread_trust = true;
        for (;;) {
            const Deadlines deadlines = probed ? probe_deadlines() : deadlines_;
            const bool is_reused = connection.stream != nullptr;
            if (!is_reused) {
                ConnectOp<Executor> connect(endpoint_, call_, deadlines.attempt, probed);
                Result<Connection> connected = co_await connect.run();
                if (!connected && (!probed || call_.is_aborted()))
                    co_return std::move(connected).error();
                if (!connected) {
                    probed.reset();
                    connection = endpoint_->pool.take(now());
                    continue;
                }
                connection = *std::move(connected);
            }
            guarded_.set_sent();
            ExchangeOp<Executor> exchange(*endpoint_, call_, guarded_, *connection.stream,
                                          std::move(connection.buffer), options_, deadlines);
            std::optional<Outcome> outcome;
            {
                const ActiveStream<Executor> active(call_, *connection.stream);
                const asio::const_buffer request = asio::buffer(bytes);
                IoResult written = exchange.begin(request);
                if (!written.error && written.bytes < request.size())
                    written = co_await connection.stream->write(request + written.bytes);
                outcome = exchange.process_write(written);
                while (!outcome) {
                    const IoResult read = co_await connection.stream->read_some(exchange.prepare());
                    outcome = exchange.process_read(read);
                }
            }
            bool sends_again = false;
            if (probed)
                sends_again = is_failure(outcome->response) && !guarded_.has_delivered();
            else if (outcome->was_dead && !call_.is_stopped())
                sends_again = is_reused || (std::exchange(may_reread_trust, false) &&
                                            connection.stream->reread_trust());
            if (probed || !sends_again)
                finish(connection, exchange, *outcome);
            if (!sends_again)
                co_return std::move(outcome->response);
            connection = {};
            if (std::exchange(probed, std::nullopt))
                connection = endpoint_->pool.take(now());
        }
    }

private:
    using Deadlines = typename ExchangeOp<Executor>::Deadlines;
    using Outcome = typename ExchangeOp<Executor>::Outcome;

    static TimePoint now() { return std::chrono::steady_clock::now(); }

    Deadlines probe_deadlines() const {
        Deadlines deadlines = deadlines_;
        deadlines.attempt = Deadline::after(started_, (deadlines_.attempt.at - started_) / 4,
                                            "a quarter of timeouts.attempt");
        return deadlines;
    }

    /// Remembers whether the address serves, and keeps the connection if it can be used again.
    void finish(Connection& connection, ExchangeOp<Executor>& exchange, const Outcome& outcome) {
        if (is_failure(outcome.response)) {
            if (endpoint_->avoid(connection.address, now()))
                return;
        } else if (outcome.response) {
            endpoint_->resolver.succeeded(connection.address);
        }
        if (outcome.is_reusable && !call_.is_stopped()) {
            connection.buffer = exchange.take_buffer();
            endpoint_->pool.put(std::move(connection), now());
        }
    }

    /// True if another address of the host may do better.
    static bool is_failure(const Result<Response>& response) {
        if (response)
            return response->status >= 502 && response->status <= 504;
        const Error& error = response.error();
        // A stream that ends at its deadline has been served until then.
        return error.is(Errc::unreachable) || error.is(Errc::tls_failed) ||
               (error.is(Errc::timeout) && error.http_status == 0);
    }

    const std::shared_ptr<Endpoint<Executor>>& endpoint_;
    Call<Executor>& call_;
    GuardedRequest& guarded_;
    const BodyOptions& options_;
    const TimePoint started_ = now();
    const Deadlines deadlines_;
};

} // namespace wva_metrics::http::detail
