// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/http/client.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>

namespace wva_metrics::test_support {

/// A call of an HTTP client that a test has started, and its result.
struct StartedCall {
    /// Empty while the call is pending.
    std::optional<Result<http::Response>> result;
    /// The call ended with an exception, as cancelled coroutines do.
    bool threw = false;
    boost::asio::cancellation_signal cancel;

    bool is_over() const { return result.has_value() || threw; }
    /// True if the call was cancelled: it ended with an exception or with `Errc::aborted`.
    bool was_cancelled() const {
        return threw || (result && !*result && result->error().is(Errc::aborted));
    }
};

/// A deadline that no call reaches which ends by itself.
inline TimePoint far_deadline() {
    return std::chrono::steady_clock::now() + std::chrono::seconds(60);
}

/// Starts a call.
inline std::shared_ptr<StartedCall>
start_call(boost::asio::io_context& context, boost::asio::awaitable<Result<http::Response>> work) {
    auto call = std::make_shared<StartedCall>();
    boost::asio::co_spawn(
        context, std::move(work),
        boost::asio::bind_cancellation_slot(
            call->cancel.slot(), [call](std::exception_ptr thrown, Result<http::Response> result) {
                if (thrown)
                    call->threw = true;
                else
                    call->result = std::move(result);
            }));
    return call;
}

inline std::shared_ptr<StartedCall> start_call(boost::asio::io_context& context,
                                               http::Client& client,
                                               http::Request request = http::Request::get("/"),
                                               TimePoint deadline = far_deadline()) {
    return start_call(context, client.send(std::move(request), deadline));
}

/// Runs the context until the condition holds. Throws after 30 seconds, so that a test fails
/// instead of hanging.
template <typename Condition>
inline void run_until(boost::asio::io_context& context, Condition condition) {
    const auto timeout = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    context.restart();
    while (!condition()) {
        if (context.run_one_until(timeout) == 0)
            throw std::runtime_error("what the test waits for did not happen");
    }
}

/// Runs all handlers that are ready.
inline void run_ready(boost::asio::io_context& context) {
    context.restart();
    context.poll();
}

inline Result<http::Response> finish_call(boost::asio::io_context& context,
                                          const std::shared_ptr<StartedCall>& call) {
    run_until(context, [&] { return call->is_over(); });
    if (call->threw)
        return Error(Errc::aborted, "cancelled by an exception");
    return *call->result;
}

/// Sends a request and waits for the answer.
inline Result<http::Response> send_request(boost::asio::io_context& context, http::Client& client,
                                           http::Request request = http::Request::get("/"),
                                           TimePoint deadline = far_deadline()) {
    return finish_call(context, start_call(context, client, std::move(request), deadline));
}

} // namespace wva_metrics::test_support
