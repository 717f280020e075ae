// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/samples/sample.hpp"

#include <algorithm>
#include <cstddef>
#include <span>

// A window has its end, but not its start: (start, end], as in Prometheus 3. Two windows in a row
// then share no sample.

namespace wva_metrics::samples {

/// The samples in the window (start, end]. They ascend in time.
inline std::span<const Sample> samples_within(std::span<const Sample> samples, ServerTime start,
                                              ServerTime end) noexcept {
    const auto first = std::ranges::upper_bound(samples, start, {}, &Sample::time);
    const auto last = std::ranges::upper_bound(first, samples.end(), end, {}, &Sample::time);
    return {first, last};
}

/// The times in the window (start, end]. They ascend.
inline std::span<const ServerTime> times_within(std::span<const ServerTime> times, ServerTime start,
                                                ServerTime end) noexcept {
    const auto first = std::ranges::upper_bound(times, start);
    const auto last = std::ranges::upper_bound(first, times.end(), end);
    return {first, last};
}

} // namespace wva_metrics::samples
