// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/collector/detail/own_executor.hpp"
#include "wva_metrics/error.hpp"

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/associated_immediate_executor.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/execution/blocking.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/prepend.hpp>
#include <boost/asio/require.hpp>
#include <boost/asio/system_executor.hpp>

#include <concepts>
#include <utility>

namespace wva_metrics::detail {

namespace asio = boost::asio;

/// A completion handler of any type for `void(Result<T>)`, with its executors, its cancellation
/// slot and its allocator.
///
/// An `any_completion_handler` returns its executor as an `any_completion_executor`, which does not
/// support posting and is allocated at each use. Therefore both executors are stored beside it.
template <typename T>
class AnyHandler {
    using Erased = asio::any_completion_handler<void(Result<T>)>;

public:
    using allocator_type = typename Erased::allocator_type;
    using cancellation_slot_type = typename Erased::cancellation_slot_type;

    template <typename Handler>
    explicit AnyHandler(Handler handler)
        : dispatches_itself_(!has_own_queue<Handler> && can_run_alone(handler)),
          executor_(own_executor(handler)), immediate_(own_immediate_executor(handler)),
          handler_(erasable(std::move(handler))) {}

    void operator()(Result<T> result) { std::move(handler_)(std::move(result)); }

    allocator_type get_allocator() const noexcept { return handler_.get_allocator(); }
    cancellation_slot_type get_cancellation_slot() const noexcept {
        return handler_.get_cancellation_slot();
    }
    /// Empty if the candidate is, and there is no other.
    asio::any_io_executor executor_or(const asio::any_io_executor& candidate) const {
        if (executor_ || !candidate)
            return executor_;
        // With a candidate that never runs a function inside the call, a completion would be
        // queued twice.
        return asio::prefer(candidate, asio::execution::blocking.possibly);
    }
    /// True if it may be called on any thread: its executor has no queue, and it runs itself there.
    bool dispatches_itself() const noexcept { return dispatches_itself_; }
    asio::any_io_executor immediate_executor_or(const asio::any_io_executor& candidate) const {
        return immediate_ ? immediate_ : asio::require(candidate, asio::execution::blocking.never);
    }

private:
    template <typename Handler>
    static constexpr bool is_wrapped = has_own_executor<Handler> && !can_be_posted<Handler>;

    template <typename Handler>
    static asio::any_io_executor own_executor(const Handler& handler) {
        if constexpr (has_own_executor<Handler> && can_be_posted<Handler>)
            return asio::get_associated_executor(handler);
        else
            return {};
    }
    /// A handler that cannot be posted to its executor is wrapped: it dispatches itself there.
    template <typename Handler>
    static auto erasable(Handler handler) {
        if constexpr (!is_wrapped<Handler>) {
            return handler;
        } else {
            const auto slot = asio::get_associated_cancellation_slot(handler);
            auto work = asio::make_work_guard(asio::get_associated_executor(handler));
            return asio::bind_cancellation_slot(
                slot,
                [handler = std::move(handler), work = std::move(work)](Result<T> result) mutable {
                    asio::dispatch(asio::prepend(std::move(handler), std::move(result)));
                });
        }
    }
    /// Empty if there is none or it does not support posting; then every completion is posted.
    template <typename Handler>
    static asio::any_io_executor own_immediate_executor(const Handler& handler) {
        using Offered = asio::system_executor;
        using Executor = asio::associated_immediate_executor_t<Handler, Offered>;
        if constexpr (std::same_as<Executor, asio::associated_immediate_executor_t<
                                                 Handler, asio::any_io_executor>> &&
                      std::convertible_to<Executor, asio::any_io_executor>)
            return asio::get_associated_immediate_executor(handler, Offered());
        else
            return {};
    }

    bool dispatches_itself_;
    asio::any_io_executor executor_;
    asio::any_io_executor immediate_;
    Erased handler_;
};

} // namespace wva_metrics::detail

template <typename T, typename Candidate>
struct boost::asio::associated_executor<wva_metrics::detail::AnyHandler<T>, Candidate> {
    using type = any_io_executor;
    static type get(const wva_metrics::detail::AnyHandler<T>& handler,
                    const Candidate& candidate = Candidate()) {
        return handler.executor_or(candidate);
    }
};

template <typename T, typename Candidate>
struct boost::asio::associated_immediate_executor<wva_metrics::detail::AnyHandler<T>, Candidate> {
    using type = any_io_executor;
    static type get(const wva_metrics::detail::AnyHandler<T>& handler,
                    const Candidate& candidate = Candidate()) {
        return handler.immediate_executor_or(candidate);
    }
};
