// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/reading.hpp"

#include <boost/asio/basic_waitable_timer.hpp>

#include <atomic>
#include <chrono>

namespace wva_metrics::testing {

/// A clock that stands still until a test moves it. One per process, thread-safe.
///
/// It counts in `steady_clock`'s own time points, so that ages and caches need no second set of
/// types.
struct ManualClock {
    ///@{
    /// As the standard's clocks have them.
    using duration = Duration;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = TimePoint;
    static constexpr bool is_steady = true;
    ///@}

    /// The time it was last moved to.
    static time_point now() noexcept {
        return time_point(duration(ticks().load(std::memory_order_relaxed)));
    }
    /// Moves the time on, for every thread.
    static void advance(duration by) noexcept {
        ticks().fetch_add(by.count(), std::memory_order_relaxed);
    }

private:
    // Starts a day after the epoch, so that a test may look back in time.
    static std::atomic<rep>& ticks() noexcept {
        static std::atomic<rep> value = duration(std::chrono::hours(24)).count();
        return value;
    }
};

/// Never sleeps: an io_context that is polled looks at the manual clock each time. (With Asio's own
/// traits it would wait for real time to pass until a time point that only `advance` reaches.)
struct ManualWaitTraits {
    ///@{
    /// Never waits for the real time: the timer looks again when the context is polled.
    static Duration to_wait_duration(const Duration&) noexcept { return Duration::zero(); }
    static Duration to_wait_duration(const TimePoint&) noexcept { return Duration::zero(); }
    ///@}
};

/// A timer for `Collector<Backend, Cache, Observer, ManualTimer>`. Drive it with
/// `ManualClock::advance` and `io_context::poll`; do not use `run`, which would spin.
using ManualTimer = boost::asio::basic_waitable_timer<ManualClock, ManualWaitTraits>;

} // namespace wva_metrics::testing
