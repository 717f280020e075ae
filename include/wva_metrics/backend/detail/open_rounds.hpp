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
    using Channel = asio::experimental::concurrent_channel<void(boost::system::error_code)>;

    /// A round that runs.
    struct Running {
        std::shared_ptr<Round> round;
        /// The channels of those that wait for its end. Each leaves before it is destroyed.
        std::vector<Channel*> waiting{};
    };

    /// Shared with those that wait: when an execution context is destroyed, their coroutines may
    /// outlive this.
    struct State {
        std::mutex mutex;
        std::vector<std::shared_ptr<Running>> running;
    };

public:
    /// A round's entry. Its destructor ends it: those that wait continue.
    class Entry {
    public:
        /// Enters a round that begins.
        Entry(OpenRounds& all, std::shared_ptr<Round> round)
            : state_(all.state_), running_(std::make_shared<Running>(std::move(round))) {
            const std::lock_guard lock(state_->mutex);
            state_->running.push_back(running_);
        }
        Entry(const Entry&) = delete;
        Entry& operator=(const Entry&) = delete;
        ~Entry() {
            // With the lock, because the execution context of one that waits may be destroyed now.
            // It is not called from here, but through its executor.
            const std::lock_guard lock(state_->mutex);
            std::erase(state_->running, running_);
            for (Channel* channel : running_->waiting)
                channel->try_send(boost::system::error_code());
        }

    private:
        std::shared_ptr<State> state_;
        std::shared_ptr<Running> running_;
    };

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
        Waiter waiter(state_, co_await asio::this_coro::executor);
        Joined joined;
        joined.round = waiter.enter(models);
        if (!joined.round)
            co_return joined;
        const auto [error] =
            co_await waiter.channel().async_receive(asio::as_tuple(asio::use_awaitable));
        joined.is_cancelled = error.failed();
        co_return joined;
    }

private:
    /// One that waits.
    class Waiter {
    public:
        Waiter(std::shared_ptr<State> state, const asio::any_io_executor& executor)
            : state_(std::move(state)), channel_(executor, 1) {}
        Waiter(const Waiter&) = delete;
        Waiter& operator=(const Waiter&) = delete;
        ~Waiter() {
            const std::lock_guard lock(state_->mutex);
            if (running_)
                std::erase(running_->waiting, &channel_);
        }

        /// Null if no round has all of the models.
        std::shared_ptr<Round> enter(std::span<const ModelKey> models) {
            const std::lock_guard lock(state_->mutex);
            const auto found =
                std::find_if(state_->running.begin(), state_->running.end(), [&](const auto& one) {
                    const auto all = one->round->plan().models();
                    return std::includes(all.begin(), all.end(), models.begin(), models.end());
                });
            if (found == state_->running.end())
                return nullptr;
            running_ = *found;
            running_->waiting.push_back(&channel_);
            return running_->round;
        }
        Channel& channel() noexcept { return channel_; }

    private:
        std::shared_ptr<State> state_;
        std::shared_ptr<Running> running_;
        Channel channel_;
    };

    const std::shared_ptr<State> state_ = std::make_shared<State>();
};

} // namespace wva_metrics::detail
