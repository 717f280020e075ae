// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/reading.hpp"

#include <boost/asio/basic_waitable_timer.hpp>

#include <atomic>
#include <chrono>

namespace wva_metrics::testing {

/// A clock that stands still until a test moves it. One per process, thread-safe.
///
/// It uses the time points of `steady_clock`, so that ages and caches need no second set of types.
struct ManualClock {
    /// Rounds come exactly after their interval, without the variation that chance gives them.
    static constexpr double chance() noexcept { return 0.5; }

    ///@{
    /// As in the clocks of the standard library.
    using duration = Duration;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = TimePoint;
    static constexpr bool is_steady = true;
    ///@}

    /// The current time of the clock.
    static time_point now() noexcept {
        return time_point(duration(ticks().load(std::memory_order_relaxed)));
    }
    /// Moves the clock forward, for all threads.
    static void advance(duration by) noexcept {
        ticks().fetch_add(by.count(), std::memory_order_relaxed);
    }

private:
    // The time of the clock. It starts one day after the epoch: tests can use earlier times.
    static std::atomic<rep>& ticks() noexcept {
        static std::atomic<rep> value = duration(std::chrono::hours(24)).count();
        return value;
    }
};

/// The wait traits of `ManualTimer`: a polled io_context compares its timers with the manual clock
/// at each poll. With Asio's default traits it would wait in real time for a time point that only
/// `advance` reaches.
struct ManualWaitTraits {
    ///@{
    /// Zero: never wait, compare again at the next poll.
    static Duration to_wait_duration(const Duration&) noexcept { return Duration::zero(); }
    static Duration to_wait_duration(const TimePoint&) noexcept { return Duration::zero(); }
    ///@}
};

/// A timer for `Collector<Backend, Cache, Observer, ManualTimer>`. Use `ManualClock::advance` and
/// `io_context::poll` with it, not `run`, which would busy-wait.
using ManualTimer = boost::asio::basic_waitable_timer<ManualClock, ManualWaitTraits>;

} // namespace wva_metrics::testing
