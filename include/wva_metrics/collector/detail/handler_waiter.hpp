// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/collector/detail/allocated_handler.hpp"
#include "wva_metrics/collector/detail/flight.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_allocator.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/bind_allocator.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/execution/blocking.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/require.hpp>

#include <utility>

namespace wva_metrics::detail {

/// A waiter that calls a completion handler for `void(Result<T>)`.
///
/// The answer is converted where it arrives; the handler is then posted to its associated executor
/// (default: the collector's), which is kept busy until the handler has run.
template <typename T, typename Handler, typename Convert>
class HandlerWaiter final : public Waiter {
public:
    /// `convert` makes a `Result<T>` of a `Result<Answer>`.
    HandlerWaiter(Handler handler, Convert convert, const asio::any_io_executor& fallback)
        : work_(asio::get_associated_executor(handler, fallback)), fallback_(fallback),
          convert_(std::move(convert)), handler_(std::move(handler)) {}

    void complete(const Result<Answer>& answer) override {
        Result<T> result = convert_(answer);
        const auto executor = work_.get_executor();
        Handler handler = handler_.take();
        const auto allocator = asio::get_associated_allocator(handler);
        auto deliver = asio::bind_allocator(allocator, [handler = std::move(handler),
                                                        result = std::move(result),
                                                        work = std::move(work_)]() mutable {
            // Not earlier: here is the handler's executor, and a slot must not be used from
            // anywhere else.
            asio::get_associated_cancellation_slot(handler).clear();
            work.reset();
            std::move(handler)(std::move(result));
        });
        if constexpr (asio::can_require_v<Executor, asio::execution::blocking_t::never_t>)
            asio::post(executor, std::move(deliver));
        else // The executor of an any_completion_handler may run a function inside the call.
            asio::post(fallback_, asio::bind_executor(executor, std::move(deliver)));
    }

private:
    using Executor = asio::associated_executor_t<Handler, asio::any_io_executor>;

    asio::executor_work_guard<Executor> work_;
    asio::any_io_executor fallback_;
    Convert convert_;
    AllocatedHandler<Handler> handler_;
};

} // namespace wva_metrics::detail
