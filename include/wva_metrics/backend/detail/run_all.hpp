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

/// A strand, and the way to cancel what runs on it.
struct CancellableStrand {
    explicit CancellableStrand(const asio::any_io_executor& executor)
        : strand(asio::make_strand(executor)) {}

    asio::strand<asio::any_io_executor> strand;
    /// To be used on the strand only.
    asio::cancellation_signal cancel;
};

/// The part of `run_all` that is on the strand.
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

/// Runs coroutines side by side, but never two of them at the same moment, until all have ended.
/// They share a strand of their own, so that the caller's executor may be any. Cancelling the
/// caller cancels them. Rethrows the first exception in order.
///
/// `Job` is always the same. That all here depends on it keeps a compiler from translating Asio's
/// parallel group, which is much, for a program that does not call this.
template <typename Job = asio::awaitable<void>>
asio::awaitable<void> run_all(std::vector<Job> jobs) {
    if (jobs.empty())
        co_return;
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    const auto own = std::make_shared<CancellableStrand>(executor);
    auto begin = [own](auto handler, Job begun) {
        // The caller's signal may outlive the execution context, and a strand must not: so what the
        // signal keeps of it is weak.
        if (auto slot = asio::get_associated_cancellation_slot(handler); slot.is_connected())
            slot.assign([weak = std::weak_ptr(own)](asio::cancellation_type type) {
                if (const auto running = weak.lock())
                    asio::post(running->strand, [running, type] { running->cancel.emit(type); });
            });
        asio::co_spawn(own->strand, std::move(begun),
                       asio::bind_cancellation_slot(own->cancel.slot(), std::move(handler)));
    };
    Job all = run_all_here(std::move(jobs));
    asio::awaitable<void> ended =
        asio::async_initiate<const asio::use_awaitable_t<>, void(std::exception_ptr)>(
            std::move(begin), asio::use_awaitable, std::move(all));
    co_await std::move(ended);
}

} // namespace wva_metrics::detail
