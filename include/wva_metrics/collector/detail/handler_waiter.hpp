// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/collector/detail/flight.hpp"
#include "wva_metrics/collector/detail/pending_handler.hpp"
#include "wva_metrics/detail/describe_exception.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <utility>

namespace wva_metrics::detail {

/// A waiter that calls a completion handler for `void(Result<T>)`. The answer is converted where it
/// arrives.
template <typename T, typename Handler, typename Convert>
class HandlerWaiter final : public Waiter, public PendingHandler<T, Handler> {
public:
    /// `convert` makes a `Result<T>` of a `Result<Answer>`.
    HandlerWaiter(Handler handler, Convert convert, const asio::any_io_executor& collector_executor)
        : PendingHandler<T, Handler>(std::move(handler), collector_executor),
          convert_(std::move(convert)) {}

    void complete(const Result<Answer>& answer) noexcept override {
        this->complete_with(
            result_or_exception([&] { return convert_(answer); }, "what makes the result"));
    }

private:
    Convert convert_;
};

} // namespace wva_metrics::detail
