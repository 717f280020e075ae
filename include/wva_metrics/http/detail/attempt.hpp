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
          options_(options), deadlines_{
                                 call_deadline,
                                 earlier(call_deadline,
                                         Deadline::after(now(), endpoint->config.timeouts.attempt,
                                                         "timeouts.attempt"))} {}

    /// Sends over an idle connection if there is one. If that connection turns out to be dead (it
    /// ended before any byte of an answer arrived, so the sink has received nothing), sends over a
    /// new one: all requests are queries, so sending one twice does no harm. Likewise once if a new
    /// connection was lost so, and the certificates have been replaced since it was made.
    asio::awaitable<Result<Response>> send(std::string bytes) {
        Connection connection = endpoint_->pool.take(now());
        bool may_reread_trust = true;
        for (bool is_reused = connection.stream != nullptr;; is_reused = false) {
            if (!connection.stream) {
                ConnectOp<Executor> connect(endpoint_, call_, deadlines_.attempt);
                Result<std::unique_ptr<Stream>> connected = co_await connect.run();
                if (!connected)
                    co_return std::move(connected).error();
                connection.stream = *std::move(connected);
            }
            guarded_.set_sent();
            ExchangeOp<Executor> exchange(*endpoint_, call_, guarded_, *connection.stream,
                                          std::move(connection.buffer), options_, deadlines_);
            auto outcome = co_await exchange.run(asio::buffer(bytes));
            bool sends_again = outcome.was_dead && !call_.is_stopped();
            if (sends_again && !is_reused)
                sends_again =
                    std::exchange(may_reread_trust, false) && connection.stream->reread_trust();
            if (!sends_again) {
                if (outcome.is_reusable && !call_.is_stopped())
                    endpoint_->pool.put({std::move(connection.stream), exchange.take_buffer()},
                                        now());
                co_return std::move(outcome.response);
            }
            connection = {};
        }
    }

private:
    static TimePoint now() { return std::chrono::steady_clock::now(); }

    const std::shared_ptr<Endpoint<Executor>>& endpoint_;
    Call<Executor>& call_;
    GuardedRequest& guarded_;
    const BodyOptions& options_;
    const typename ExchangeOp<Executor>::Deadlines deadlines_;
};

} // namespace wva_metrics::http::detail
