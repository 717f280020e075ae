// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/http/detail/call.hpp"
#include "wva_metrics/reading.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/intrusive/list.hpp>
#include <boost/system/error_code.hpp>

#include <algorithm>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace wva_metrics::http::detail {

/// The running calls of one endpoint, and one timer that ends each of them at its deadline.
/// Thread-safe.
///
/// One timer serves all calls, because arming and cancelling a timer per call costs more CPU than
/// parsing the answer. It is never armed for later than the earliest deadline, so no call expires
/// late. The timer stays armed briefly for reuse by the next call; not longer, because it keeps the
/// execution context from running out of work.
template <typename Executor>
class CallRegistry : public std::enable_shared_from_this<CallRegistry<Executor>> {
public:
    using Call = detail::Call<Executor>;

    /// How long the timer may stay armed without calls.
    static constexpr Duration linger = std::chrono::milliseconds(10);
    /// How many strands are kept for later calls.
    static constexpr std::size_t max_idle_strands = 8;

    explicit CallRegistry(Executor executor) : executor_(std::move(executor)) {
        idle_strands_.reserve(max_idle_strands);
    }

    /// The executor of streams and strands; empty after `close`.
    std::optional<Executor> executor() const {
        const std::lock_guard lock(mutex_);
        return executor_;
    }

    /// A strand for a call; nothing after `close`. When a call has ended, its strand is used again,
    /// because making one costs more than most steps of a call.
    std::optional<asio::any_io_executor> take_strand() {
        const std::lock_guard lock(mutex_);
        if (!executor_)
            return std::nullopt;
        if (idle_strands_.empty())
            return make_strand(*executor_);
        std::optional<asio::any_io_executor> strand(std::move(idle_strands_.back()));
        idle_strands_.pop_back();
        return strand;
    }

    /// Sets a call's deadline, also if it has expired already: after an address that does not
    /// answer, the next one is tried. On the call's strand.
    void expire_at(Call& call, TimePoint deadline) {
        const std::lock_guard lock(mutex_);
        call.rearm(deadline);
        if (!executor_ || deadline >= armed_for_)
            return;
        arm(is_armed() ? deadline : std::min(deadline, now() + linger));
    }

    /// Releases the executor, the strands and the timer; ends all calls if `cancel_calls`.
    void close(bool cancel_calls) {
        std::optional<Executor> dropped_executor;
        std::optional<Timer> dropped_timer;
        std::vector<asio::any_io_executor> dropped_strands;
        const std::lock_guard lock(mutex_);
        dropped_executor.swap(executor_);
        dropped_strands.swap(idle_strands_);
        dropped_timer.swap(timer_);
        if (cancel_calls) {
            for (Call& call : calls_)
                call.post_cancel(Call::Stop::closed);
        }
    }

    /// Keeps a call in the registry as long as this object lives.
    class Registration {
    public:
        Registration(CallRegistry& registry, Call& call) : registry_(registry), call_(call) {
            const std::lock_guard lock(registry_.mutex_);
            is_open_ = registry_.executor_.has_value();
            registry_.calls_.push_back(call_);
        }
        ~Registration() {
            const std::lock_guard lock(registry_.mutex_);
            registry_.calls_.erase(registry_.calls_.iterator_to(call_));
            registry_.keep_strand(call_);
            if (registry_.calls_.empty())
                registry_.disarm_unless_due_soon();
        }
        Registration(const Registration&) = delete;
        Registration& operator=(const Registration&) = delete;
        /// False if the registry was closed before the call began.
        bool is_open() const noexcept { return is_open_; }

    private:
        CallRegistry& registry_;
        Call& call_;
        bool is_open_ = false;
    };

private:
    using Timer = typename asio::steady_timer::rebind_executor<Executor>::other;

    static TimePoint now() { return std::chrono::steady_clock::now(); }

    // The functions below are called with the lock held, except `on_timer`.

    /// A strand of an io_context's own executor fits into `any_io_executor`. A strand of an
    /// `any_io_executor` exceeds its small buffer, and is allocated on each query of a property:
    /// about twenty times per call.
    static asio::any_io_executor make_strand(const Executor& executor) {
        if constexpr (std::same_as<Executor, asio::any_io_executor>) {
            if (const auto* const own = executor.template target<asio::io_context::executor_type>())
                return asio::make_strand(*own);
        }
        return asio::make_strand(executor);
    }

    void keep_strand(const Call& call) {
        if (executor_ && call.owns_strand() && idle_strands_.size() < max_idle_strands)
            idle_strands_.push_back(call.strand());
    }

    bool is_armed() const noexcept { return armed_for_ != TimePoint::max(); }

    void arm(TimePoint time) {
        if (!timer_)
            timer_.emplace(*executor_);
        armed_for_ = time;
        timer_->expires_at(time);
        timer_->async_wait([weak = this->weak_from_this()](boost::system::error_code error) {
            const auto registry = weak.lock();
            if (!error && registry)
                registry->on_timer();
        });
    }

    void disarm_unless_due_soon() {
        if (!timer_ || !is_armed() || armed_for_ <= now() + linger)
            return;
        armed_for_ = TimePoint::max();
        timer_->cancel();
    }

    void on_timer() {
        const std::lock_guard lock(mutex_);
        armed_for_ = TimePoint::max();
        if (!timer_)
            return;
        const TimePoint time = now();
        TimePoint next = TimePoint::max();
        for (Call& call : calls_) {
            if (call.deadline() > time)
                next = std::min(next, call.deadline());
            else
                call.post_expiry();
        }
        if (next != TimePoint::max())
            arm(next);
    }

    mutable std::mutex mutex_;
    std::optional<Executor> executor_;
    std::optional<Timer> timer_;
    std::vector<asio::any_io_executor> idle_strands_;
    /// Max = the timer is not armed.
    TimePoint armed_for_ = TimePoint::max();
    boost::intrusive::list<Call> calls_;
};

} // namespace wva_metrics::http::detail
