// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/collector/detail/allocated_handler.hpp"
#include "wva_metrics/collector/detail/posting.hpp"
#include "wva_metrics/error.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_allocator.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/bind_allocator.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include <memory>
#include <optional>
#include <utility>

namespace wva_metrics::detail {

/// A completion handler for `void(Result<T>)` that waits for its result. Make it with `make_shared`.
///
/// It is posted to the collector's executor, which dispatches it to the handler's associated executor
/// (default: the collector's). The associated executor is kept busy until the handler has run.
///
/// It is not posted to its associated executor directly: the handler of `asio::use_future` has an
/// executor that runs a posted function on the threads of Asio's system context, and starts them.
/// That executor runs a dispatched function inside the call.
///
/// The handler stays in here until it runs, so it is not lost with a function that an executor could
/// not take because memory is short. If an executor takes none in three attempts, the handler runs
/// where it is, because it would wait for ever.
template <typename T, typename Handler>
class PendingHandler : public std::enable_shared_from_this<PendingHandler<T, Handler>> {
public:
    PendingHandler(Handler handler, const asio::any_io_executor& collector_executor)
        : work_(asio::get_associated_executor(handler, collector_executor)),
          collector_executor_(collector_executor), handler_(std::move(handler)) {}

    /// Calls the handler, as above. Call at most once, with no lock held.
    void complete_with(Result<T> result) noexcept {
        result_.emplace(std::move(result));
        auto self = this->shared_from_this();
        const auto post = [&] {
            asio::post(collector_executor_,
                       asio::bind_allocator(asio::get_associated_allocator(handler_.get()),
                                            [self]() mutable { dispatch(std::move(self)); }));
        };
        if (succeeds_in_three(post))
            return;
        try {
            run(std::move(self));
        } catch (...) { // The handler's own exception, which nobody can catch here.
        }
    }

private:
    static void dispatch(std::shared_ptr<PendingHandler> self) {
        const auto executor = self->work_.get_executor();
        for (int attempt = 0; attempt < 3; ++attempt) {
            try {
                return asio::dispatch(
                    executor,
                    asio::bind_allocator(asio::get_associated_allocator(self->handler_.get()),
                                         [self]() mutable { run(std::move(self)); }));
            } catch (...) {
                if (self->handler_.is_taken())
                    throw; // The handler's own exception.
            }
        }
        run(std::move(self));
    }

    static void run(std::shared_ptr<PendingHandler> self) {
        Handler handler = self->handler_.take();
        Result<T> result = *std::move(self->result_);
        self->work_.reset();
        self.reset();
        // Not earlier: here is the handler's executor, and a slot must not be used from anywhere
        // else.
        asio::get_associated_cancellation_slot(handler).clear();
        std::move(handler)(std::move(result));
    }

    asio::executor_work_guard<asio::associated_executor_t<Handler, asio::any_io_executor>> work_;
    asio::any_io_executor collector_executor_;
    AllocatedHandler<Handler> handler_;
    std::optional<Result<T>> result_;
};

} // namespace wva_metrics::detail
