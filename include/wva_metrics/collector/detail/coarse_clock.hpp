// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <ctime>

namespace wva_metrics::detail {

/// The time of `Clock`. For `steady_clock`, if the system can read it more cheaply, a time up to
/// some milliseconds earlier (`CLOCK_MONOTONIC_COARSE`, the kernel's last tick: every 4 ms at 250
/// Hz).
///
/// The exact clock would take most of a 30 ns look-up, because it waits for all earlier memory
/// accesses.
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
