// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

namespace wva_metrics::samples {

/// A time on the clock of the server that stores the samples, in whole milliseconds since 1970.
///
/// Ages are differences of two such times, so that clock and server need not agree.
using ServerTime = std::chrono::sys_time<std::chrono::milliseconds>;
/// The difference of two server times.
using ServerDuration = std::chrono::milliseconds;

/// Seconds since 1970.
constexpr double unix_seconds(ServerTime time) noexcept {
    return std::chrono::duration<double>(time.time_since_epoch()).count();
}

/// One sample of a series.
struct Sample {
    /// When it was scraped.
    ServerTime time{};
    /// As exposed by the server; may be NaN or an infinity.
    double value = 0;

    friend bool operator==(const Sample&, const Sample&) = default;
};

} // namespace wva_metrics::samples
