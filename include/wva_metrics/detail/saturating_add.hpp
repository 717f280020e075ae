// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>

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

/// The time from `then` to `now`: zero if `then` is later, and the longest duration if the clock
/// cannot count that far. So what is from the beginning of time is old, not from the future.
constexpr std::chrono::steady_clock::duration
saturating_age(std::chrono::steady_clock::time_point then,
               std::chrono::steady_clock::time_point now) noexcept {
    using Length = std::chrono::steady_clock::duration;
    if (now <= then)
        return Length::zero();
    // The difference of a signed count that may overflow is exact as an unsigned one.
    const auto count = static_cast<std::uint64_t>(now.time_since_epoch().count()) -
                       static_cast<std::uint64_t>(then.time_since_epoch().count());
    constexpr auto most = static_cast<std::uint64_t>(Length::max().count());
    return count > most ? Length::max() : Length(static_cast<Length::rep>(count));
}

} // namespace wva_metrics::detail
