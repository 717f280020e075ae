// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/reading.hpp"
#include "wva_metrics/samples/counter.hpp"
#include "wva_metrics/samples/rate_window.hpp"
#include "wva_metrics/samples/sample.hpp"
#include "wva_metrics/samples/view.hpp"
#include "wva_metrics/samples/window.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <optional>
#include <span>
#include <vector>

namespace wva_metrics::samples {

/// How fast one counter of a process grows, all of its series together.
struct CounterGrowth {
    /// Why it is not known; `none` if it is.
    ReadingReason reason = ReadingReason::no_series;
    /// Increase per second.
    double per_second = 0;
    /// The newest sample that counts; without a rate, the newest of all.
    ServerTime newest{};
};

namespace detail {

/// The samples whose value is finite, if there is one whose value is not; else nothing.
inline std::vector<Sample> finite_ones(std::span<const Sample> samples) {
    std::vector<Sample> finite;
    const auto is_finite = [](const Sample& sample) { return std::isfinite(sample.value); };
    if (!std::ranges::all_of(samples, is_finite))
        std::ranges::copy_if(samples, std::back_inserter(finite), is_finite);
    return finite;
}

/// Per second of the window. If the view's samples do not reach back to its start, per second of
/// what they cover, because the time before is unknown and not idle.
inline std::optional<double> rate_in(const RateWindow& window, std::span<const Sample> inside) {
    if (!window.covered)
        return rate_per_second(inside, window.start, window.end);
    if (inside.size() < 2)
        return std::nullopt;
    return increase(inside) / std::chrono::duration<double>(*window.covered).count();
}

/// The growth of one series. It does not count (`no_series`) if it has no sample in the window.
inline CounterGrowth growth_of_one(const Series& series, const RateWindow& window,
                                   std::size_t max_resets) {
    std::span<const Sample> inside = samples_within(series.samples, window.start, window.end);
    if (inside.empty())
        return {};
    const ServerTime newest = inside.back().time;
    if (!std::isfinite(inside.back().value))
        return {ReadingReason::not_finite, 0, newest};
    const std::vector<Sample> finite = finite_ones(inside);
    if (!finite.empty())
        inside = finite;
    if (count_resets(inside) > max_resets)
        return {ReadingReason::inconsistent, 0, newest};
    const std::vector<Sample> level = window.level_dips(inside);
    if (!level.empty())
        inside = level;
    const std::optional<double> rate = rate_in(window, inside);
    return {rate ? ReadingReason::none : ReadingReason::warming_up, rate.value_or(0), newest};
}

} // namespace detail

/// The sum of the growth of all series of one counter in a window, also of those that ended in it.
/// `ended_count` is false if a series that ended is that of an engine which left its process: then
/// it is left out if its last value is not a number.
///
/// A dip (`is_dip`) is neither growth nor a reset, unless the process is known to have begun anew.
///
/// Without a rate, the reason is that of the window; or `not_finite` if a last value is not a
/// number (an older one is ignored); or `inconsistent` if a series has more than `max_resets`
/// resets; or `warming_up` if no series has two samples; or `no_series`.
inline CounterGrowth growth_of(std::span<const Series> all, const RateWindow& window,
                               std::size_t max_resets, bool ended_count) {
    CounterGrowth total;
    for (const Series& series : all) {
        if (window.reason != ReadingReason::none) {
            total = {window.reason, 0, std::max(total.newest, series.last().time)};
            continue;
        }
        const CounterGrowth part = detail::growth_of_one(series, window, max_resets);
        const bool is_absent =
            part.reason == ReadingReason::no_series ||
            (part.reason == ReadingReason::not_finite && series.has_ended && !ended_count);
        if (is_absent)
            continue;
        if (part.reason != ReadingReason::none && part.reason != ReadingReason::warming_up)
            return part;
        if (total.reason != ReadingReason::none)
            total.reason = part.reason;
        total.per_second += part.per_second;
        total.newest = std::max(total.newest, part.newest);
    }
    if (!std::isfinite(total.per_second))
        total.reason = ReadingReason::not_finite;
    return total;
}

} // namespace wva_metrics::samples
