// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/http/detail/call.hpp"
#include "wva_metrics/reading.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/intrusive/list.hpp>
#include <boost/system/error_code.hpp>

#include <algorithm>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

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

    explicit CallRegistry(Executor executor) : executor_(std::move(executor)) {}

    /// The executor of streams and strands; empty after `close`.
    std::optional<Executor> executor() const {
        const std::lock_guard lock(mutex_);
        return executor_;
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

    /// Releases the executor and the timer; ends all calls if `cancel_calls`.
    void close(bool cancel_calls) {
        std::optional<Executor> dropped_executor;
        std::optional<Timer> dropped_timer;
        const std::lock_guard lock(mutex_);
        dropped_executor.swap(executor_);
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
    /// Max = the timer is not armed.
    TimePoint armed_for_ = TimePoint::max();
    boost::intrusive::list<Call> calls_;
};

} // namespace wva_metrics::http::detail
