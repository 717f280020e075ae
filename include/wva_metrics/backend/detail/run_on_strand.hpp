// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <exception>
#include <memory>
#include <utility>

namespace wva_metrics::detail {

namespace asio = boost::asio;

/// A strand with a signal that cancels the coroutine on it.
struct CancellableStrand {
    explicit CancellableStrand(const asio::any_io_executor& executor)
        : strand(asio::make_strand(executor)) {}

    asio::strand<asio::any_io_executor> strand;
    /// Use it on the strand only.
    asio::cancellation_signal cancel;
};

/// Runs a coroutine on a new strand, so that what it spawns there never runs at the same moment.
///
/// `Job` is always `asio::awaitable<void>`. It is a parameter so that this is compiled only in programs
/// that call it.
///
/// **Completes:** when the job has ended. If an execution context is destroyed before, this does not
/// complete, and the job is destroyed unfinished.
///
/// **Errors:** rethrows the exception of the job.
///
/// **Cancellation:** terminal: cancels the job.
///
/// **Threads:** any thread. The caller's executor may be of any kind.
template <typename Job = asio::awaitable<void>>
asio::awaitable<void> run_on_strand(Job job) {
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
    asio::awaitable<void> finished =
        asio::async_initiate<const asio::use_awaitable_t<>, void(std::exception_ptr)>(
            std::move(begin), asio::use_awaitable, std::move(job));
    co_await std::move(finished);
}

} // namespace wva_metrics::detail
