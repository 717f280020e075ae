// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/collector/detail/allocated_handler.hpp"
#include "wva_metrics/collector/detail/describe_exception.hpp"
#include "wva_metrics/collector/detail/flight.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_allocator.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/bind_allocator.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include <utility>

namespace wva_metrics::detail {

/// A waiter that calls a completion handler for `void(Result<T>)`.
///
/// The answer is converted where it arrives. The handler is then posted to the collector's
/// executor, which dispatches it to the handler's associated executor (default: the collector's).
/// The associated executor is kept busy until the handler has run.
///
/// It is not posted to its associated executor directly: the handler of `asio::use_future` has an
/// executor that runs a posted function on the threads of Asio's system context, and starts them.
/// That executor runs a dispatched function inside the call.
template <typename T, typename Handler, typename Convert>
class HandlerWaiter final : public Waiter {
public:
    /// `convert` makes a `Result<T>` of a `Result<Answer>`.
    HandlerWaiter(Handler handler, Convert convert, const asio::any_io_executor& collector_executor)
        : work_(asio::get_associated_executor(handler, collector_executor)),
          collector_executor_(collector_executor), convert_(std::move(convert)),
          handler_(std::move(handler)) {}

    void complete(const Result<Answer>& answer) override {
        Result<T> result =
            result_or_exception([&] { return convert_(answer); }, "what makes the result");
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
        asio::post(collector_executor_, asio::bind_executor(executor, std::move(deliver)));
    }

private:
    using Executor = asio::associated_executor_t<Handler, asio::any_io_executor>;

    asio::executor_work_guard<Executor> work_;
    asio::any_io_executor collector_executor_;
    Convert convert_;
    AllocatedHandler<Handler> handler_;
};

} // namespace wva_metrics::detail
