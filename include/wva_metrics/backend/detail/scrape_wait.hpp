// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/reading.hpp"
#include "wva_metrics/scrape/schedule.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/experimental/concurrent_channel.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <memory>
#include <set>

namespace wva_metrics::detail {

namespace asio = boost::asio;

/// A call that waits for the scrapes of some targets, or for searches for them.
///
/// **Threads:** `wait` by the call; the others under its owner's lock.
class ScrapeWait {
    using Channel = asio::experimental::concurrent_channel<void(boost::system::error_code)>;

public:
    using Id = scrape::Schedule::Id;

    explicit ScrapeWait(const asio::any_io_executor& executor)
        : channel_(std::make_shared<Channel>(executor, 1)) {}

    /// Waits for this target too.
    void add(Id id) { missing_.insert(id); }
    /// Nothing is waited for.
    bool empty() const noexcept { return missing_.empty(); }
    /// The scrape of a target has ended.
    void note(Id id) {
        // Closed, because sending crashes if the channel's context has taken its waiter away.
        if (missing_.erase(id) > 0 && missing_.empty())
            channel_->close();
    }

    /// Returns when all of them have ended, or the deadline has passed.
    ///
    /// A template, because GCC compiles every inline coroutine that is none.
    template <typename Timer = asio::steady_timer>
    asio::awaitable<void> wait(TimePoint deadline) {
        const std::shared_ptr<Channel> channel = channel_;
        Timer timer(channel->get_executor(), deadline);
        // Its handler may run after the wait has ended.
        timer.async_wait([channel](boost::system::error_code error) {
            if (!error)
                channel->try_send(asio::error::make_error_code(asio::error::timed_out));
        });
        co_await channel->async_receive(asio::as_tuple(asio::use_awaitable));
    }

private:
    const std::shared_ptr<Channel> channel_;
    std::set<Id> missing_;
};

} // namespace wva_metrics::detail
