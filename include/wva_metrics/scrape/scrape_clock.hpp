// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/reading.hpp"
#include "wva_metrics/samples/sample.hpp"

#include <chrono>

namespace wva_metrics::scrape {

/// Gives the times of scrapes: the calendar time at which it was made, plus what the steady clock has
/// counted since. So a step of the calendar clock changes neither an age nor a rate.
///
/// **Threads:** safe, because it does not change.
class ScrapeClock {
public:
    /// Two readings of the same moment. The default reads both clocks once.
    explicit ScrapeClock(
        TimePoint steady = std::chrono::steady_clock::now(),
        std::chrono::system_clock::time_point calendar = std::chrono::system_clock::now()) noexcept
        : steady_(steady), calendar_(std::chrono::floor<samples::ServerDuration>(calendar)) {}

    /// The time of a moment, in whole milliseconds.
    samples::ServerTime at(TimePoint moment) const noexcept {
        return calendar_ + std::chrono::floor<samples::ServerDuration>(moment - steady_);
    }

    /// The moment of a time that `at` gave: not after the one that `at` was given, and less than a
    /// millisecond before it.
    TimePoint moment(samples::ServerTime time) const noexcept {
        return steady_ + (time - calendar_);
    }

private:
    TimePoint steady_;
    samples::ServerTime calendar_;
};

} // namespace wva_metrics::scrape
