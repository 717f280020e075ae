// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/reading.hpp"
#include "wva_metrics/samples/sample.hpp"
#include "wva_metrics/samples/signal_value.hpp"
#include "wva_metrics/samples/view.hpp"
#include "wva_metrics/samples/window.hpp"

#include <algorithm>
#include <cmath>

namespace wva_metrics::samples {

/// The highest value of a gauge in the window (start, end], and its last sample, which counts also
/// if the window does not hold it. Of two equal values the newer counts. An empty window stands for
/// the last sample.
///
/// If the last value is not finite, the reason is `not_finite`; an older one is ignored. The
/// result's `window` and `spacing` are not set.
inline SignalValue peak_of(const Series& series, ServerTime start, ServerTime end) {
    const Sample& last = series.last();
    SignalValue peak;
    peak.time = peak.latest_at = last.time;
    if (!std::isfinite(last.value)) {
        peak.reason = ReadingReason::not_finite;
        return peak;
    }
    peak.reason = ReadingReason::none;
    peak.value = peak.latest = last.value;
    for (const Sample& sample : samples_within(series.samples, start, end)) {
        if (std::isfinite(sample.value) && sample.value > peak.value) {
            peak.value = sample.value;
            peak.time = sample.time;
        } else if (sample.value == peak.value && sample.time > peak.time) {
            peak.time = sample.time;
        }
    }
    return peak;
}

/// A gauge of which there are fewer than none, or more than `highest`, has no value: it is of a
/// server that counts wrongly, or in another unit, such as per cent.
inline void refuse_implausible(SignalValue& value, double highest) noexcept {
    constexpr double rounding = 1e-6;
    const bool is_implausible = std::min(value.value, value.latest) < -rounding ||
                                std::max(value.value, value.latest) > highest + rounding;
    if (value.reason == ReadingReason::none && is_implausible)
        value.reason = ReadingReason::implausible;
}

} // namespace wva_metrics::samples
