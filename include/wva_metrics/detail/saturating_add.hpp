// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

namespace wva_metrics::detail {

/// `time + by`; the last or the first point in time if the clock cannot count that far. So
/// `Duration::max()` as a time to live means for ever, and does not overflow.
constexpr std::chrono::steady_clock::time_point
saturating_add(std::chrono::steady_clock::time_point time,
               std::chrono::steady_clock::duration by) noexcept {
    using Time = std::chrono::steady_clock::time_point;
    const auto since_epoch = time.time_since_epoch();
    if (by > by.zero() && since_epoch > by.max() - by)
        return Time::max();
    if (by < by.zero() && since_epoch < by.min() - by)
        return Time::min();
    return time + by;
}

} // namespace wva_metrics::detail
