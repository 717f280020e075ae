// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/collector/detail/own_executor.hpp"
#include "wva_metrics/error.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/associated_immediate_executor.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/prepend.hpp>

#include <utility>

namespace wva_metrics::detail {

namespace asio = boost::asio;

template <typename T, typename Handler>
void complete_on_own_executor(Handler handler, Result<T> result);

/// Completes an operation whose result is there when it is initiated: through the handler's
/// associated immediate executor, which by default never runs the handler inside the call. If
/// `executor` is empty, because its context has been destroyed, on the handler's own executor.
template <typename T, typename Handler>
void complete_immediately(const asio::any_io_executor& executor, Handler handler,
                          Result<T> result) {
    if (!executor)
        return complete_on_own_executor(std::move(handler), std::move(result));
    // Before the handler is moved from, because a bound executor moves with it.
    const auto immediate = asio::get_associated_immediate_executor(handler, executor);
    asio::dispatch(immediate, asio::prepend(std::move(handler), std::move(result)));
}

/// Completes without the collector's executor; destroys the handler if it has none of its own.
template <typename T, typename Handler>
void complete_on_own_executor(Handler handler, Result<T> result) {
    if constexpr (requires { handler.dispatches_itself(); })
        if (handler.dispatches_itself())
            return std::move(handler)(std::move(result));
    if (!can_run_alone(handler))
        return;
    if constexpr (has_own_queue<Handler>) {
        // Before the handler is moved from, as above.
        const asio::any_io_executor own =
            asio::get_associated_executor(handler, asio::any_io_executor());
        complete_immediately(own, std::move(handler), std::move(result));
    } else {
        asio::dispatch(asio::prepend(std::move(handler), std::move(result)));
    }
}

} // namespace wva_metrics::detail
