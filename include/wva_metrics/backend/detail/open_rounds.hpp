// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/workload.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/experimental/concurrent_channel.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <memory>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

namespace wva_metrics::detail {

namespace asio = boost::asio;

/// The rounds that are running, so that a call for the same models waits for one instead of sending
/// the same queries: both kinds of metrics come from the same samples.
///
/// The call that began a round runs it. If that call is cancelled, the round ends without a result,
/// and one of those that waited begins another.
///
/// `Round` has `plan()`.
///
/// **Threads:** safe.
template <typename Round>
class OpenRounds {
public:
    /// A round that runs, and those that wait for its end.
    class Running {
    public:
        explicit Running(std::shared_ptr<Round> round) : round_(std::move(round)) {}

    private:
        friend OpenRounds;
        using Channel = asio::experimental::concurrent_channel<void(boost::system::error_code)>;

        const std::shared_ptr<Round> round_;
        std::vector<std::shared_ptr<Channel>> waiting_;
    };

    /// Ends a round's entry: those that wait continue.
    class Entry {
    public:
        Entry(OpenRounds& all, std::shared_ptr<Running> running)
            : all_(all), running_(std::move(running)) {}
        Entry(const Entry&) = delete;
        Entry& operator=(const Entry&) = delete;
        ~Entry() { all_.end(running_); }

    private:
        OpenRounds& all_;
        std::shared_ptr<Running> running_;
    };

    /// Enters a round that begins.
    std::shared_ptr<Running> begin(std::shared_ptr<Round> round) {
        auto running = std::make_shared<Running>(std::move(round));
        const std::lock_guard lock(mutex_);
        running_.push_back(running);
        return running;
    }

    /// What became of a wait.
    struct Joined {
        /// The round that ended, which has no result if the call that ran it was cancelled; null if
        /// there is no round with all of the models.
        std::shared_ptr<Round> round{};
        /// This call was cancelled.
        bool is_cancelled = false;
    };

    /// Waits for the end of a round that has all of these models, which are sorted. Completes at
    /// once if there is none.
    asio::awaitable<Joined> join(std::span<const ModelKey> models) {
        auto channel =
            std::make_shared<typename Running::Channel>(co_await asio::this_coro::executor, 1);
        Joined joined;
        {
            const std::lock_guard lock(mutex_);
            const auto found =
                std::find_if(running_.begin(), running_.end(), [&](const auto& running) {
                    const auto all = running->round_->plan().models();
                    return std::includes(all.begin(), all.end(), models.begin(), models.end());
                });
            if (found == running_.end())
                co_return joined;
            joined.round = (*found)->round_;
            (*found)->waiting_.push_back(channel);
        }
        const auto [error] = co_await channel->async_receive(asio::as_tuple(asio::use_awaitable));
        joined.is_cancelled = error.failed();
        co_return joined;
    }

private:
    void end(const std::shared_ptr<Running>& running) {
        std::vector<std::shared_ptr<typename Running::Channel>> waiting;
        {
            const std::lock_guard lock(mutex_);
            std::erase(running_, running);
            waiting = std::move(running->waiting_);
        }
        for (const auto& channel : waiting)
            channel->try_send(boost::system::error_code());
    }

    std::mutex mutex_;
    std::vector<std::shared_ptr<Running>> running_;
};

} // namespace wva_metrics::detail
