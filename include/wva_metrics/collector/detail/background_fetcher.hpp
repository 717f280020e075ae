// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/collector/detail/fetch_schedule.hpp"
#include "wva_metrics/reading.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <boost/system/error_code.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

namespace wva_metrics::detail {

namespace asio = boost::asio;

/// Runs rounds and cleanups when they are due by a `FetchSchedule`, on one timer over the user's
/// executor.
///
/// Its public functions may be called from any thread. `Round` and `Cleanup` run on a strand of the
/// executor.
template <typename Timer>
class BackgroundFetcher : public std::enable_shared_from_this<BackgroundFetcher<Timer>> {
public:
    /// Begins a round. It must call `ended` once, from any thread, when the round has ended; it may
    /// do so inside the call. After `stop` it need not.
    using Round = std::function<void(std::function<void()> ended)>;
    /// Removes expired entries.
    using Cleanup = std::function<void()>;

    /// Told how many rounds were left out, because the one before took longer than the interval.
    using Skipped = std::function<void(std::size_t rounds)>;
    /// A random number from 0 to 1.
    using Chance = std::function<double()>;

    BackgroundFetcher(const asio::any_io_executor& executor, FetchSchedule schedule, Round round,
                      Cleanup cleanup, Skipped skipped, Chance chance)
        : strand_(asio::make_strand(executor)), timer_(strand_), schedule_(schedule),
          round_(std::move(round)), cleanup_(std::move(cleanup)), skipped_(std::move(skipped)),
          chance_(std::move(chance)) {}

    /// Starts the timer. Call at most once.
    void start() {
        asio::post(strand_, [self = this->shared_from_this()] { self->wait(); });
    }

    /// Applies other intervals; see `FetchSchedule::change_intervals`.
    void change_intervals(Duration fetch_interval, Duration cleanup_interval,
                          Duration first_round_after, Duration longest_interval) {
        asio::post(strand_, [self = this->shared_from_this(), fetch_interval, cleanup_interval,
                             first_round_after, longest_interval] {
            self->schedule_.change_intervals(fetch_interval, cleanup_interval, first_round_after,
                                             Timer::clock_type::now(), longest_interval);
            self->timer_.cancel();
            self->wait();
        });
    }

    /// No round begins after this; a running round continues to its end.
    void stop() {
        asio::post(strand_, [self = this->shared_from_this()] {
            self->stopped_ = true;
            self->timer_.cancel();
        });
    }

private:
    void wait() {
        const std::optional<TimePoint> next = schedule_.next();
        if (stopped_ || !next)
            return;
        timer_.expires_at(*next);
        timer_.async_wait(
            [self = this->shared_from_this()](const boost::system::error_code& error) {
                if (!error && !self->stopped_)
                    self->act();
            });
    }

    void act() {
        const TimePoint now = Timer::clock_type::now();
        if (schedule_.cleanup_due(now)) {
            schedule_.cleaned_up(now);
            cleanup_();
        }
        if (schedule_.round_due(now)) {
            schedule_.round_started(now, chance_());
            round_([self = this->shared_from_this()] {
                asio::post(self->strand_, [self] {
                    const TimePoint ended_at = Timer::clock_type::now();
                    if (const std::size_t rounds = self->schedule_.round_ended(ended_at);
                        rounds > 0)
                        self->skipped_(rounds);
                    self->timer_.cancel();
                    self->wait();
                });
            });
        }
        wait();
    }

    asio::strand<asio::any_io_executor> strand_;
    Timer timer_;
    FetchSchedule schedule_;
    Round round_;
    Cleanup cleanup_;
    Skipped skipped_;
    Chance chance_;
    bool stopped_ = false;
};

} // namespace wva_metrics::detail
