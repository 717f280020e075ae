// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <exception>
#include <memory>
#include <utility>
#include <vector>

namespace wva_metrics::detail {

namespace asio = boost::asio;

/// A strand with a signal that cancels the coroutines on it.
struct CancellableStrand {
    explicit CancellableStrand(const asio::any_io_executor& executor)
        : strand(asio::make_strand(executor)) {}

    asio::strand<asio::any_io_executor> strand;
    /// Use it on the strand only.
    asio::cancellation_signal cancel;
};

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
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    const auto own = std::make_shared<CancellableStrand>(executor);
    auto begin = [own](auto handler, Job begun) {
        // The caller's signal may outlive the execution context, but a strand must not. So the
        // signal holds only a weak pointer.
        if (auto slot = asio::get_associated_cancellation_slot(handler); slot.is_connected())
            slot.assign([weak = std::weak_ptr(own)](asio::cancellation_type type) {
                if (const auto running = weak.lock())
                    asio::post(running->strand, [running, type] { running->cancel.emit(type); });
            });
        asio::co_spawn(own->strand, std::move(begun),
                       asio::bind_cancellation_slot(own->cancel.slot(), std::move(handler)));
    };
    Job all = run_all_here(std::move(jobs));
    asio::awaitable<void> finished =
        asio::async_initiate<const asio::use_awaitable_t<>, void(std::exception_ptr)>(
            std::move(begin), asio::use_awaitable, std::move(all));
    co_await std::move(finished);
}

} // namespace wva_metrics::detail
