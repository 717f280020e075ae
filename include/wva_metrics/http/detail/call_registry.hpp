// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/if_used.hpp"
#include "wva_metrics/http/detail/call.hpp"
#include "wva_metrics/reading.hpp"

#include <boost/asio/any_io_executor.hpp>
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

/// The calls of one endpoint that are under way, and the one timer that ends each of them at its
/// time. Thread-safe.
///
/// One timer for all, because to arm and cancel one for each call costs more CPU than to parse its
/// answer. It is never armed for later than the earliest deadline, so none is late. A call that
/// ends leaves it armed for the next one to find, but only for a moment, since that keeps the
/// execution context from running out of work.
class OpenCalls : public std::enable_shared_from_this<OpenCalls> {
public:
    /// How long the timer may stay armed for nobody.
    static constexpr Duration lingers = std::chrono::milliseconds(10);

    explicit OpenCalls(asio::any_io_executor executor) : executor_(std::move(executor)) {}

    /// Where streams and strands are made; nothing after `close`.
    std::optional<asio::any_io_executor> executor() const {
        const std::lock_guard lock(mutex_);
        return executor_;
    }

    /// From now on the call, with whatever it does, expires then. An expired call may be given a
    /// new time: an address that does not answer is not the last one. On the call's strand.
    template <wva_metrics::detail::IfUsed used = wva_metrics::detail::IfUsed::compile>
    void expire_at(Call& call, TimePoint at) {
        const std::lock_guard lock(mutex_);
        call.begin_turn(at);
        if (!executor_ || at >= armed_for_)
            return;
        arm<used>(is_armed() ? at : std::min(at, now() + lingers));
    }

    /// Ends all calls if they are to be told, and lets go of the executor.
    void close(bool tell_calls) {
        std::optional<asio::any_io_executor> dropped_executor;
        std::optional<asio::steady_timer> dropped_timer;
        const std::lock_guard lock(mutex_);
        dropped_executor.swap(executor_);
        dropped_timer.swap(timer_);
        if (tell_calls) {
            for (Call& call : calls_)
                call.post_stop(Call::Stop::closed);
        }
    }

    /// Keeps a call known as long as it runs, so that it can be ended.
    class Registration {
    public:
        Registration(OpenCalls& calls, Call& call) : calls_(calls), call_(call) {
            const std::lock_guard lock(calls_.mutex_);
            is_open_ = calls_.executor_.has_value();
            calls_.calls_.push_back(call_);
        }
        ~Registration() {
            const std::lock_guard lock(calls_.mutex_);
            calls_.calls_.erase(calls_.calls_.iterator_to(call_));
            if (calls_.calls_.empty())
                calls_.disarm_unless_soon();
        }
        Registration(const Registration&) = delete;
        Registration& operator=(const Registration&) = delete;
        /// False where the client was gone already.
        bool is_open() const noexcept { return is_open_; }

    private:
        OpenCalls& calls_;
        Call& call_;
        bool is_open_ = false;
    };

private:
    static TimePoint now() { return std::chrono::steady_clock::now(); }

    // All of these with the lock held.

    bool is_armed() const noexcept { return armed_for_ != TimePoint::max(); }

    template <wva_metrics::detail::IfUsed used>
    void arm(TimePoint at) {
        if (!timer_)
            timer_.emplace(*executor_);
        armed_for_ = at;
        timer_->expires_at(at);
        timer_->async_wait([weak = weak_from_this()](boost::system::error_code error) {
            const auto calls = weak.lock();
            if (!error && calls)
                calls->template expire_due<used>();
        });
    }

    void disarm_unless_soon() {
        if (!timer_ || !is_armed() || armed_for_ <= now() + lingers)
            return;
        armed_for_ = TimePoint::max();
        timer_->cancel();
    }

    template <wva_metrics::detail::IfUsed used>
    void expire_due() {
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
            arm<used>(next);
    }

    mutable std::mutex mutex_;
    std::optional<asio::any_io_executor> executor_;
    std::optional<asio::steady_timer> timer_;
    /// Max = the timer is not armed.
    TimePoint armed_for_ = TimePoint::max();
    boost::intrusive::list<Call> calls_;
};

} // namespace wva_metrics::http::detail
