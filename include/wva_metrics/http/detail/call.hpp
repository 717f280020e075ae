// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/if_used.hpp"
#include "wva_metrics/http/transport.hpp"
#include "wva_metrics/reading.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/intrusive/list_hook.hpp>

#include <cstdint>
#include <memory>
#include <optional>

namespace wva_metrics::http::detail {

/// What one call of a client waits for, and what may end the waiting: its time, or the end of the
/// client.
///
/// Everything but `post_wake` and `post_stop` is for the call's own strand, except what `OpenCalls`
/// does under its lock.
class Call : public std::enable_shared_from_this<Call>, public boost::intrusive::list_base_hook<> {
public:
    enum class Stop : std::uint8_t {
        none,
        /// Its time is over.
        expired,
        /// Its caller does not want it any more.
        cancelled,
        /// The client is being destroyed.
        closed,
    };

    template <wva_metrics::detail::IfUsed used = wva_metrics::detail::IfUsed::compile>
    explicit Call(const asio::any_io_executor& executor) : strand_(make_strand<used>(executor)) {}
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;

    const asio::any_io_executor& strand() const noexcept { return strand_; }

    /// Something that the call waits for has happened. Any thread.
    void post_wake() {
        asio::post(strand_, [weak = weak_from_this()] {
            if (const auto call = weak.lock())
                call->wake();
        });
    }
    /// Ends the call. Any thread.
    void post_stop(Stop why) {
        asio::post(strand_, [weak = weak_from_this(), why] {
            if (const auto call = weak.lock())
                call->stop(why);
        });
    }

    /// For `OpenCalls`, under its lock and on the call's strand: the call has until then.
    void begin_turn(TimePoint deadline) noexcept {
        if (stop_ == Stop::expired)
            stop_ = Stop::none;
        deadline_ = deadline;
        ++turn_;
    }
    /// For `OpenCalls`, under its lock.
    TimePoint deadline() const noexcept { return deadline_; }
    /// For `OpenCalls`, under its lock: ends the call, unless it is given a new time before it
    /// hears of it.
    void post_expiry() {
        asio::post(strand_, [weak = weak_from_this(), turn = turn_] {
            const auto call = weak.lock();
            if (call && call->turn_ == turn)
                call->stop(Stop::expired);
        });
    }

    /// The call's time is over now.
    void expire() { stop(Stop::expired); }

    /// The stream that is closed when the call is stopped; null = none.
    void use(Stream* stream) noexcept { stream_ = stream; }

    bool is_expired() const noexcept { return stop_ == Stop::expired; }
    bool is_aborted() const noexcept { return stop_ == Stop::cancelled || stop_ == Stop::closed; }
    bool is_stopped() const noexcept { return stop_ != Stop::none; }

    /// Returns after `post_wake` (also one that came earlier and was not waited for), or when the
    /// call is stopped.
    template <wva_metrics::detail::IfUsed = wva_metrics::detail::IfUsed::compile>
    asio::awaitable<void> wait() {
        if (!woken_ && !is_stopped()) {
            boost::system::error_code ignored;
            wake_.emplace(strand_, TimePoint::max());
            co_await wake_->async_wait(asio::redirect_error(asio::deferred, ignored));
        }
        woken_ = false;
    }

private:
    void wake() {
        woken_ = true;
        if (wake_)
            wake_->cancel();
    }
    /// An expiry is forgotten when the next turn begins, so it must not hide that nobody wants the
    /// call any more.
    void stop(Stop why) {
        if (is_aborted() || stop_ == why)
            return;
        stop_ = why;
        if (stream_ != nullptr)
            stream_->close();
        if (wake_)
            wake_->cancel();
    }

    /// A strand of an io_context's own executor fits into `any_io_executor`. One of another
    /// `any_io_executor` does not, and is allocated anew each time that Asio asks for a property:
    /// about twenty times per call.
    template <wva_metrics::detail::IfUsed>
    static asio::any_io_executor make_strand(const asio::any_io_executor& executor) {
        if (const auto* const own = executor.target<asio::io_context::executor_type>())
            return asio::make_strand(*own);
        return asio::make_strand(executor);
    }

    const asio::any_io_executor strand_;
    /// Made by those who wait.
    std::optional<asio::steady_timer> wake_;
    Stream* stream_ = nullptr;
    TimePoint deadline_ = TimePoint::max();
    /// Tells apart an expiry that was posted before the call was given a new time.
    std::uint64_t turn_ = 0;
    Stop stop_ = Stop::none;
    bool woken_ = false;
};

/// Names the stream that a call uses, as long as it lives.
class StreamUse {
public:
    StreamUse(Call& call, Stream& stream) noexcept : call_(call) { call_.use(&stream); }
    ~StreamUse() { call_.use(nullptr); }
    StreamUse(const StreamUse&) = delete;
    StreamUse& operator=(const StreamUse&) = delete;

private:
    Call& call_;
};

} // namespace wva_metrics::http::detail
