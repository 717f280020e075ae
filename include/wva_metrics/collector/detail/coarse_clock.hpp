// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <ctime>

namespace wva_metrics::detail {

/// The time of `Clock`, or where that is `steady_clock` and the system has a cheaper reading of it,
/// a time up to some milliseconds earlier (`CLOCK_MONOTONIC_COARSE`, the kernel's last tick: 4 ms
/// apart at 250 Hz).
///
/// In a look-up that takes 30 ns the exact clock would be most of the cost: it waits for the memory
/// accesses before it.
template <typename Clock>
typename Clock::time_point coarse_now() noexcept {
    return Clock::now();
}

#ifdef CLOCK_MONOTONIC_COARSE
template <>
inline std::chrono::steady_clock::time_point coarse_now<std::chrono::steady_clock>() noexcept {
    timespec time{};
    clock_gettime(CLOCK_MONOTONIC_COARSE, &time);
    return std::chrono::steady_clock::time_point(std::chrono::seconds(time.tv_sec) +
                                                 std::chrono::nanoseconds(time.tv_nsec));
}
#endif

} // namespace wva_metrics::detail
