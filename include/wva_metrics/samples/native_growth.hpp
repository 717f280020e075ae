// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/exposition/native_histogram.hpp"
#include "wva_metrics/reading.hpp"
#include "wva_metrics/samples/counter.hpp"
#include "wva_metrics/samples/native_merge.hpp"
#include "wva_metrics/samples/native_rate.hpp"
#include "wva_metrics/samples/rate_window.hpp"
#include "wva_metrics/samples/sample.hpp"
#include "wva_metrics/samples/view.hpp"
#include "wva_metrics/samples/window.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace wva_metrics::samples {

/// How fast one native histogram of a process grows, all of its series together.
struct NativeGrowth {
    /// Why it is not known; `none` if it is.
    ReadingReason reason = ReadingReason::no_series;
    /// Observations per second in each bucket.
    NativeHistogram histogram{};
    /// The newest sample that counts; without a rate, the newest of all.
    ServerTime newest{};
};

namespace detail {

/// The histograms of a series in a window. A sample that has none, or no finite count, is left out.
inline std::vector<NativeSample> natives_within(const Series& series, const RateWindow& window) {
    std::vector<NativeSample> inside;
    for (std::size_t i = 0; i < series.natives.size() && i < series.samples.size(); ++i) {
        const ServerTime time = series.samples[i].time;
        const bool is_inside = time > window.start && time <= window.end;
        if (is_inside && !series.natives[i].empty() && std::isfinite(series.samples[i].value))
            inside.push_back({time, series.natives[i].unpack()});
    }
    return inside;
}

/// As `rate_in` of a counter.
inline std::optional<NativeHistogram> native_rate_in(const RateWindow& window,
                                                     std::span<const NativeSample> inside) {
    if (!window.covered)
        return native_rate(inside, window.start, window.end);
    std::optional<NativeHistogram> grown = native_increase(inside);
    if (grown)
        scale_native(*grown, 1 / std::chrono::duration<double>(*window.covered).count());
    return grown;
}

/// The growth of one series. It does not count (`no_series`) if it has no histogram in the window.
inline NativeGrowth native_growth_of_one(const Series& series, const RateWindow& window,
                                         std::size_t max_resets) {
    const std::vector<NativeSample> inside = natives_within(series, window);
    if (inside.empty())
        return {};
    NativeGrowth growth{ReadingReason::warming_up, {}, inside.back().time};
    std::size_t resets = 0;
    for (std::size_t i = 1; i < inside.size(); ++i)
        resets += inside[i].histogram.count < inside[i - 1].histogram.count ? 1U : 0U;
    if (resets > max_resets) {
        growth.reason = ReadingReason::inconsistent;
    } else if (std::optional<NativeHistogram> rate = native_rate_in(window, inside)) {
        growth.reason = ReadingReason::none;
        growth.histogram = std::move(*rate);
    } else if (inside.size() > 1) {
        growth.reason = ReadingReason::inconsistent;
    }
    return growth;
}

} // namespace detail

/// The sum of the growth of all series of one native histogram in a window, as `sum(rate(x[...]))` in
/// Prometheus, with the windows of `growth_of`. A series that has no histograms does not count.
///
/// Without a rate, the reason is that of the window; or `inconsistent` if a series has more than
/// `max_resets` resets, or if there are several bounds of their own; or `warming_up` if no series has
/// two samples; or `no_series`.
inline NativeGrowth native_growth_of(std::span<const Series> all, const RateWindow& window,
                                     std::size_t max_resets) {
    NativeGrowth total;
    for (const Series& series : all) {
        if (series.natives.empty())
            continue;
        if (window.reason != ReadingReason::none) {
            total = {window.reason, {}, std::max(total.newest, series.last().time)};
            continue;
        }
        NativeGrowth part = detail::native_growth_of_one(series, window, max_resets);
        part.newest = std::max(total.newest, part.newest);
        if (part.reason == ReadingReason::no_series)
            continue;
        if (part.reason == ReadingReason::inconsistent)
            return part;
        if (total.reason != ReadingReason::none) {
            total = std::move(part);
        } else if (part.reason == ReadingReason::none) {
            if (!add_listed(total.histogram, part.histogram))
                return {ReadingReason::inconsistent, {}, part.newest};
            total.newest = part.newest;
        }
    }
    return total;
}

} // namespace wva_metrics::samples
