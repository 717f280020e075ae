// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/if_used.hpp"
#include "wva_metrics/http/transport.hpp"
#include "wva_metrics/reading.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cstdint>
#include <memory>
#include <utility>

namespace wva_metrics::http::detail {

/// What one call of a client waits for, and what may end the waiting: its time, or the end of the
/// client.
///
/// Everything but `post_wake` and `post_close` is for the call's own strand.
class Call : public std::enable_shared_from_this<Call> {
public:
    using Strand = asio::strand<asio::any_io_executor>;

    enum class Stop : std::uint8_t {
        none,
        /// Its time is over.
        expired,
        /// Its caller does not want it any more.
        cancelled,
        /// The client is being destroyed.
        closed,
    };

    explicit Call(const Strand& strand)
        : strand_(strand), limit_(strand, TimePoint::max()), wake_(strand, TimePoint::max()) {}
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;

    const Strand& strand() const noexcept { return strand_; }

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

    /// From now on the call, with whatever it does, expires then. An expired call may be given a
    /// new time: an address that does not answer is not the last one.
    void expire_at(TimePoint at) {
        if (stop_ == Stop::expired)
            stop_ = Stop::none;
        // A wait that has ended already may still be on its way to its handler: the number tells it
        // apart.
        const std::uint64_t turn = ++turn_;
        limit_.expires_at(at);
        limit_.async_wait([weak = weak_from_this(), turn](boost::system::error_code error) {
            const auto call = weak.lock();
            if (!error && call && call->turn_ == turn)
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
            co_await wake_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
        }
        woken_ = false;
    }

private:
    void wake() {
        woken_ = true;
        wake_.cancel();
    }
    void stop(Stop why) {
        if (is_stopped())
            return;
        stop_ = why;
        if (stream_ != nullptr)
            stream_->close();
        wake_.cancel();
    }

    const Strand strand_;
    asio::steady_timer limit_;
    asio::steady_timer wake_;
    Stream* stream_ = nullptr;
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
