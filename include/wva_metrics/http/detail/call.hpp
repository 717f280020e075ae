// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/http/detail/wakeable.hpp"
#include "wva_metrics/http/transport.hpp"
#include "wva_metrics/reading.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/intrusive/list_hook.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

namespace wva_metrics::http::detail {

/// One call of a client: its strand, what may end it early, and waiting.
///
/// All functions must be called on the call's own strand, except `post_wake` and `post_cancel`, and
/// those that are for `CallRegistry`.
template <typename Executor>
class Call final : public Wakeable,
                   public std::enable_shared_from_this<Call<Executor>>,
                   public boost::intrusive::list_base_hook<> {
public:
    enum class Stop : std::uint8_t {
        none,
        /// Its deadline has passed.
        expired,
        /// Its caller has cancelled it.
        cancelled,
        /// The client is being destroyed.
        closed,
        /// Another call has the answer already.
        outrun,
    };
    /// For the constructor.
    struct Beside {
        const Call& other;
    };

    /// `strand`: one that no other call uses.
    explicit Call(asio::any_io_executor strand) : strand_(std::move(strand)) {}
    /// On the strand of another call.
    explicit Call(const Beside& beside) : strand_(beside.other.strand_), owns_strand_(false) {}
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;

    const asio::any_io_executor& strand() const noexcept { return strand_; }
    /// Whether the strand is free for others when the call has ended.
    bool owns_strand() const noexcept { return owns_strand_; }

    /// Any thread.
    void post_wake() override {
        asio::post(strand_, [weak = this->weak_from_this()] {
            if (const auto call = weak.lock())
                call->wake();
        });
    }
    /// Ends the call. Any thread.
    void post_cancel(Stop reason) {
        asio::post(strand_, [weak = this->weak_from_this(), reason] {
            if (const auto call = weak.lock())
                call->stop(reason);
        });
    }

    /// Sets a new deadline. If the call has expired, it goes on. For `CallRegistry`, under its lock
    /// and on the call's strand.
    void rearm(TimePoint deadline) noexcept {
        if (stop_ == Stop::expired)
            stop_ = Stop::none;
        deadline_ = deadline;
        ++rearm_count_;
    }
    /// For `CallRegistry`, under its lock.
    TimePoint deadline() const noexcept { return deadline_; }
    /// Ends the call, unless it gets a new deadline before the posted handler runs. For
    /// `CallRegistry`, under its lock.
    void post_expiry() {
        asio::post(strand_, [weak = this->weak_from_this(), rearm_count = rearm_count_] {
            const auto call = weak.lock();
            if (call && call->rearm_count_ == rearm_count)
                call->stop(Stop::expired);
        });
    }

    /// Ends the call as if its deadline had passed.
    void expire() { stop(Stop::expired); }

    /// Ends the call, because another one has the answer. It may go on with something else after
    /// `resume`.
    void outrun() { stop(Stop::outrun); }
    void resume() noexcept {
        if (stop_ == Stop::outrun)
            stop_ = Stop::none;
    }

    /// The stream that is closed when the call is stopped; null = none.
    void set_active_stream(Stream* stream) noexcept { stream_ = stream; }

    bool is_expired() const noexcept { return stop_ == Stop::expired; }
    bool is_outrun() const noexcept { return stop_ == Stop::outrun; }
    bool is_aborted() const noexcept {
        return stop_ == Stop::cancelled || stop_ == Stop::closed || stop_ == Stop::outrun;
    }
    bool is_stopped() const noexcept { return stop_ != Stop::none; }

    /// Returns when the call is woken or stopped; immediately if it was woken since the last wait.
    asio::awaitable<void> wait() {
        if (!woken_ && !is_stopped()) {
            boost::system::error_code ignored;
            wake_timer_.emplace(strand_, TimePoint::max());
            co_await wake_timer_->async_wait(asio::redirect_error(asio::deferred, ignored));
        }
        woken_ = false;
    }

private:
    void wake() {
        woken_ = true;
        if (wake_timer_)
            wake_timer_->cancel();
    }
    /// A call that expired can still be aborted: the next `rearm` clears an expiry, and must not
    /// clear a cancellation.
    void stop(Stop reason) {
        const bool is_final = stop_ == Stop::cancelled || stop_ == Stop::closed;
        if (is_final || stop_ == reason || (is_outrun() && reason == Stop::expired))
            return;
        stop_ = reason;
        if (stream_ != nullptr)
            stream_->close();
        if (wake_timer_)
            wake_timer_->cancel();
    }

    const asio::any_io_executor strand_;
    const bool owns_strand_ = true;
    /// Never expires: cancelling it wakes the call. Created by `wait`.
    std::optional<asio::steady_timer> wake_timer_;
    Stream* stream_ = nullptr;
    TimePoint deadline_ = TimePoint::max();
    /// Identifies an expiry that was posted before the last `rearm`.
    std::uint64_t rearm_count_ = 0;
    Stop stop_ = Stop::none;
    bool woken_ = false;
};

/// Makes a stream the call's active stream, as long as this object lives.
template <typename Executor>
class ActiveStream {
public:
    ActiveStream(Call<Executor>& call, Stream& stream) noexcept : call_(call) {
        call_.set_active_stream(&stream);
    }
    ~ActiveStream() { call_.set_active_stream(nullptr); }
    ActiveStream(const ActiveStream&) = delete;
    ActiveStream& operator=(const ActiveStream&) = delete;

private:
    Call<Executor>& call_;
};

} // namespace wva_metrics::http::detail
