// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/detail/run_on_strand.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <exception>
#include <utility>
#include <vector>

namespace wva_metrics::detail {

/// The part of `run_all` that runs on the strand.
template <typename Job = asio::awaitable<void>>
asio::awaitable<void> run_all_here(std::vector<Job> jobs) {
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    using Operation = decltype(asio::co_spawn(executor, std::declval<Job>(), asio::deferred));
    std::vector<Operation> operations;
    operations.reserve(jobs.size());
    for (Job& job : jobs)
        operations.push_back(asio::co_spawn(executor, std::move(job), asio::deferred));
    auto group = asio::experimental::make_parallel_group(std::move(operations));
    auto [order, failures] =
        co_await group.async_wait(asio::experimental::wait_for_all(), asio::use_awaitable);
    for (const std::exception_ptr& failure : failures)
        if (failure)
            std::rethrow_exception(failure);
}

/// Runs coroutines concurrently on a new strand (so never two at the same moment), until all have
/// ended.
///
/// `Job` is always `asio::awaitable<void>`. It is a parameter so that `parallel_group`, which is
/// slow to compile, is not instantiated in programs that never call this.
///
/// **Completes:** when all jobs have ended. If an execution context is destroyed before, this does
/// not complete, and the jobs are destroyed unfinished.
///
/// **Errors:** rethrows the exception of the first job, in order, that threw one.
///
/// **Cancellation:** terminal: cancels all jobs.
///
/// **Threads:** any thread. The caller's executor may be of any kind.
template <typename Job = asio::awaitable<void>>
asio::awaitable<void> run_all(std::vector<Job> jobs) {
    if (jobs.empty())
        co_return;
    Job all = run_all_here(std::move(jobs));
    co_await run_on_strand(std::move(all));
}

} // namespace wva_metrics::detail
