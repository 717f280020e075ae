// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <exception>
#include <utility>
#include <vector>

namespace wva_metrics::detail {

namespace asio = boost::asio;

/// The part of `run_all` that is on the strand.
inline asio::awaitable<void> run_all_here(std::vector<asio::awaitable<void>> jobs) {
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    using Operation =
        decltype(asio::co_spawn(executor, std::declval<asio::awaitable<void>>(), asio::deferred));
    std::vector<Operation> operations;
    operations.reserve(jobs.size());
    for (asio::awaitable<void>& job : jobs)
        operations.push_back(asio::co_spawn(executor, std::move(job), asio::deferred));
    auto group = asio::experimental::make_parallel_group(std::move(operations));
    auto [order, failures] =
        co_await group.async_wait(asio::experimental::wait_for_all(), asio::use_awaitable);
    for (const std::exception_ptr& failure : failures)
        if (failure)
            std::rethrow_exception(failure);
}

/// Runs coroutines side by side, but never two of them at the same moment, until all have ended.
/// They share a strand of their own, so that the caller's executor may be any. Cancelling the
/// caller cancels them. Rethrows the first exception in order.
inline asio::awaitable<void> run_all(std::vector<asio::awaitable<void>> jobs) {
    if (jobs.empty())
        co_return;
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    asio::awaitable<void> all = run_all_here(std::move(jobs));
    asio::awaitable<void> ended =
        asio::co_spawn(asio::make_strand(executor), std::move(all), asio::use_awaitable);
    co_await std::move(ended);
}

} // namespace wva_metrics::detail
