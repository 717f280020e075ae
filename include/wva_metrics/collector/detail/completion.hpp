// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_immediate_executor.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/prepend.hpp>

#include <utility>

namespace wva_metrics::detail {

namespace asio = boost::asio;

/// Completes an operation whose result is there when it is initiated: through the handler's
/// associated immediate executor, which by default never runs the handler inside the call.
template <typename T, typename Handler>
void complete_immediately(const asio::any_io_executor& executor, Handler handler,
                          Result<T> result) {
    // Before the handler is moved from, because a bound executor moves with it.
    const auto immediate = asio::get_associated_immediate_executor(handler, executor);
    asio::dispatch(immediate, asio::prepend(std::move(handler), std::move(result)));
}

} // namespace wva_metrics::detail
