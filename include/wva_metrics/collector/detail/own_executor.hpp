// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/query.hpp>
#include <boost/asio/system_executor.hpp>

#include <concepts>

namespace wva_metrics::detail {

namespace asio = boost::asio;

/// True if the handler has an executor of its own, whichever executor it is offered.
template <typename Handler>
inline constexpr bool has_own_executor =
    std::same_as<asio::associated_executor_t<Handler>,
                 asio::associated_executor_t<Handler, asio::any_io_executor>>;

/// False for `asio::any_completion_handler`, whose executor only runs functions.
template <typename Handler>
inline constexpr bool can_be_posted =
    std::convertible_to<asio::associated_executor_t<Handler>, asio::any_io_executor>;

/// True if the handler's own executor has a queue, which it shows by counting work. That of a future
/// has none: it runs a dispatched function inside the call, and starts threads for a posted one.
template <typename Handler>
inline constexpr bool
    has_own_queue = has_own_executor<Handler>&& can_be_posted<Handler> &&
                    (asio::can_query<asio::associated_executor_t<Handler>,
                                     asio::execution::outstanding_work_t::tracked_t>::value ||
                     std::same_as<asio::associated_executor_t<Handler>, asio::system_executor>);

/// True if the handler can run although it is offered no executor. One whose type is erased says so
/// only now.
template <typename Handler>
bool can_run_alone(const Handler& handler) {
    if constexpr (has_own_executor<Handler>) {
        using Own = asio::associated_executor_t<Handler>;
        // The candidate has the type of the result, because Asio leaks memory where an empty executor
        // of one erased type is converted to another.
        if constexpr (std::constructible_from<bool, const Own&> && std::default_initializable<Own>)
            return static_cast<bool>(asio::get_associated_executor(handler, Own()));
        else
            return true;
    }
    return false;
}

} // namespace wva_metrics::detail
