// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/priority.hpp"
#include "wva_metrics/reading.hpp"
#include "wva_metrics/workload.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/experimental/channel_error.hpp>
#include <boost/asio/experimental/concurrent_channel.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
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
/// and one of those that waited begins another. If its execution context is stopped, the round does
/// not end: those that wait give up at their own deadlines, and later calls do not join it.
///
/// `Round` has `plan()` and `promote()`. Pure, apart from the waiting: the time is passed in.
///
/// **Threads:** safe.
template <typename Round>
class OpenRounds {
    using Channel = asio::experimental::concurrent_channel<void(boost::system::error_code)>;

    /// A round that runs.
    struct Running {
        Running(std::shared_ptr<Round> entered, TimePoint now)
            : round(std::move(entered)), begun(now) {}

        std::shared_ptr<Round> round;
        TimePoint begun;
        /// The channels of those that wait for its end. Each leaves before it is destroyed.
        std::vector<Channel*> waiting{};
    };

    /// Shared with those that wait: when an execution context is destroyed, their coroutines may
    /// outlive this.
    struct State {
        /// The round to join, or null. With the mutex held.
        std::shared_ptr<Running> find(std::span<const ModelKey> models, TimePoint now) const {
            const auto found = std::find_if(running.begin(), running.end(), [&](const auto& one) {
                if (now - one->begun > join_within)
                    return false;
                const auto all = one->round->plan().models();
                return std::includes(all.begin(), all.end(), models.begin(), models.end());
            });
            return found == running.end() ? nullptr : *found;
        }

        std::mutex mutex;
        std::vector<std::shared_ptr<Running>> running;
    };

public:
    /// A round that began longer ago is not joined. Calls that belong together, such as both kinds
    /// of metrics, come within milliseconds. What is older would give a later call, such as one that
    /// follows an invalidation, samples from long before it.
    static constexpr Duration join_within = std::chrono::seconds(1);

    /// A round's entry. Its destructor ends it: those that wait continue.
    class Entry {
    public:
        /// Enters a round that begins.
        Entry(OpenRounds& all, std::shared_ptr<Round> round, TimePoint now)
            : state_(all.state_), running_(std::make_shared<Running>(std::move(round), now)) {
            const std::lock_guard lock(state_->mutex);
            state_->running.push_back(running_);
        }
        /// Enters it unless there is one to join: then `is_entered()` is false. See `join`.
        Entry(OpenRounds& all, std::shared_ptr<Round> round, TimePoint begun,
              std::span<const ModelKey> models, TimePoint now)
            : state_(all.state_), running_(std::make_shared<Running>(std::move(round), begun)) {
            const std::lock_guard lock(state_->mutex);
            if (state_->find(models, now))
                running_.reset();
            else
                state_->running.push_back(running_);
        }
        bool is_entered() const noexcept { return running_ != nullptr; }
        Entry(const Entry&) = delete;
        Entry& operator=(const Entry&) = delete;
        ~Entry() {
            if (!running_)
                return;
            // With the lock, because the execution context of one that waits may be destroyed now.
            // It is not called from here, but through its executor.
            const std::lock_guard lock(state_->mutex);
            std::erase(state_->running, running_);
            // Closed, because sending crashes if the channel's context has taken its waiter away.
            for (Channel* channel : running_->waiting)
                channel->close();
        }

    private:
        std::shared_ptr<State> state_;
        std::shared_ptr<Running> running_;
    };

    /// Why a wait ended.
    enum class End : std::uint8_t {
        none,      ///< There is no round to join.
        over,      ///< The round has ended.
        late,      ///< The deadline passed before.
        cancelled, ///< This call was cancelled.
    };

    /// What became of a wait.
    struct Joined {
        End end = End::none; ///< Why it ended.
        /// The round that was joined. If it has ended, it has no result if the call that ran it was
        /// cancelled.
        std::shared_ptr<Round> round{};
    };

    /// Waits for the end of a round that has all of these models, which are sorted, and that began
    /// within `join_within` before `now`. Completes at once if there is none. A background round that
    /// an interactive call joins is promoted.
    asio::awaitable<Joined> join(std::span<const ModelKey> models, TimePoint now,
                                 TimePoint deadline, Priority priority) {
        const asio::any_io_executor executor = co_await asio::this_coro::executor;
        Waiter waiter(state_, executor);
        Joined joined;
        joined.round = waiter.enter(models, now);
        if (!joined.round)
            co_return joined;
        if (priority == Priority::interactive)
            joined.round->promote();
        asio::steady_timer timer(executor, deadline);
        // Its handler may run after the wait has ended.
        timer.async_wait([channel = waiter.channel()](boost::system::error_code error) {
            if (!error)
                channel->try_send(asio::error::make_error_code(asio::error::timed_out));
        });
        const auto [error] =
            co_await waiter.channel()->async_receive(asio::as_tuple(asio::use_awaitable));
        if (error == asio::experimental::channel_errc::channel_closed)
            joined.end = End::over;
        else
            joined.end = error == asio::error::timed_out ? End::late : End::cancelled;
        co_return joined;
    }

private:
    /// One that waits.
    class Waiter {
    public:
        Waiter(std::shared_ptr<State> state, const asio::any_io_executor& executor)
            : state_(std::move(state)), channel_(std::make_shared<Channel>(executor, 1)) {}
        Waiter(const Waiter&) = delete;
        Waiter& operator=(const Waiter&) = delete;
        ~Waiter() {
            const std::lock_guard lock(state_->mutex);
            if (running_)
                std::erase(running_->waiting, channel_.get());
        }

        /// Null if there is no round to join.
        std::shared_ptr<Round> enter(std::span<const ModelKey> models, TimePoint now) {
            const std::lock_guard lock(state_->mutex);
            running_ = state_->find(models, now);
            if (!running_)
                return nullptr;
            running_->waiting.push_back(channel_.get());
            return running_->round;
        }
        const std::shared_ptr<Channel>& channel() const noexcept { return channel_; }

    private:
        std::shared_ptr<State> state_;
        std::shared_ptr<Running> running_;
        std::shared_ptr<Channel> channel_;
    };

    const std::shared_ptr<State> state_ = std::make_shared<State>();
};

} // namespace wva_metrics::detail
