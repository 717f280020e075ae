// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/collector/detail/fetch_schedule.hpp"
#include "wva_metrics/collector/detail/posting.hpp"
#include "wva_metrics/reading.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/system/error_code.hpp>

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

namespace wva_metrics::detail {

namespace asio = boost::asio;

/// Runs rounds and cleanups when they are due by a `FetchSchedule`, on one timer over the user's
/// executor.
///
/// Its public functions may be called from any thread. Rounds and cleanups run on the executor, and
/// a cleanup may run beside a round.
template <typename Timer>
class BackgroundFetcher : public std::enable_shared_from_this<BackgroundFetcher<Timer>> {
public:
    /// Begins a round. It must call `ended` once, from any thread, when the round has ended; it may
    /// do so inside the call. After `stop` it need not. If it throws, the round has ended.
    using Round = std::function<void(std::function<void()> ended)>;
    /// Removes expired entries.
    using Cleanup = std::function<void()>;

    /// Told how many rounds were left out, because the one before took longer than the interval.
    using Skipped = std::function<void(std::size_t rounds)>;
    /// A random number from 0 to 1.
    using Chance = std::function<double()>;
    /// Told that nothing will run any more, because there was no memory to wait for the next time.
    using GivenUp = std::function<void()>;

    BackgroundFetcher(const asio::any_io_executor& executor, FetchSchedule schedule, Round round,
                      Cleanup cleanup, Skipped skipped, GivenUp given_up, Chance chance)
        : timer_(executor), schedule_(schedule), round_(std::move(round)),
          cleanup_(std::move(cleanup)), skipped_(std::move(skipped)),
          given_up_(std::move(given_up)), chance_(std::move(chance)) {}

    /// Starts the timer. Call at most once. Throws if memory is short.
    void start() {
        const std::lock_guard lock(mutex_);
        is_started_ = true;
        wait();
    }

    /// Applies other intervals; see `FetchSchedule::change_intervals`. If it throws, because memory
    /// is short, nothing will run any more.
    void change_intervals(Duration fetch_interval, Duration cleanup_interval,
                          Duration first_round_after, Duration longest_interval) {
        const std::lock_guard lock(mutex_);
        schedule_.change_intervals(fetch_interval, cleanup_interval, first_round_after,
                                   Timer::clock_type::now(), longest_interval);
        wait();
    }

    /// No round begins after this, except one that begins right now; a running round continues to
    /// its end.
    void stop() noexcept {
        const std::lock_guard lock(mutex_);
        stopped_ = true;
        timer_.cancel();
    }

    /// False if nothing will run any more, because an executor that threw has lost what was to run.
    bool is_running() const noexcept {
        const std::lock_guard lock(mutex_);
        return !is_started_ || waits_ > 0 || schedule_.is_in_round() || !schedule_.next();
    }

private:
    /// A wait of the timer that has not been lost.
    struct Waiting {
        explicit Waiting(std::shared_ptr<BackgroundFetcher> fetcher) : self(std::move(fetcher)) {
            ++self->waits_;
        }
        Waiting(Waiting&& other) noexcept = default;
        Waiting& operator=(Waiting&&) = delete;
        ~Waiting() {
            if (self)
                --self->waits_;
        }
        std::shared_ptr<BackgroundFetcher> self;
    };

    /// Waits for what is due next, instead of what was waited for. Call with the mutex held.
    void wait() {
        const std::optional<TimePoint> next = schedule_.next();
        timer_.cancel();
        if (stopped_ || !next)
            return;
        timer_.expires_at(*next);
        timer_.async_wait(
            [waiting = Waiting(this->shared_from_this())](const boost::system::error_code& error) {
                if (!error)
                    waiting.self->act();
            });
    }
    void act() noexcept {
        bool cleans = false;
        bool fetches = false;
        bool is_waiting = false;
        {
            const std::lock_guard lock(mutex_);
            if (stopped_)
                return;
            const TimePoint now = Timer::clock_type::now();
            cleans = schedule_.cleanup_due(now);
            if (cleans)
                schedule_.cleaned_up(now);
            fetches = schedule_.round_due(now);
            if (fetches)
                schedule_.round_started(now, chance_());
            // Before the work: the memory of the wait that has just ended is free for the next.
            is_waiting = succeeds_in_three([this] { wait(); });
        }
        if (!is_waiting)
            given_up_();
        if (cleans)
            cleanup_();
        if (fetches)
            fetch();
    }

    void fetch() noexcept {
        try {
            round_([self = this->shared_from_this()] { self->end_round(); });
        } catch (...) { // Memory is short. The next round is due in time.
            end_round();
        }
    }

    void end_round() noexcept {
        std::size_t left_out = 0;
        bool is_waiting = false;
        {
            const std::lock_guard lock(mutex_);
            left_out = schedule_.round_ended(Timer::clock_type::now());
            is_waiting = succeeds_in_three([this] { wait(); });
        }
        if (left_out > 0)
            skipped_(left_out);
        if (!is_waiting)
            given_up_();
    }

    mutable std::mutex mutex_;
    std::atomic<int> waits_{0};
    Timer timer_;
    FetchSchedule schedule_;
    Round round_;
    Cleanup cleanup_;
    Skipped skipped_;
    GivenUp given_up_;
    Chance chance_;
    bool is_started_ = false;
    bool stopped_ = false;
};

} // namespace wva_metrics::detail
