// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/samples/sample.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <limits>
#include <optional>
#include <span>
#include <vector>

// What a counter did in a window. The samples ascend in time.

namespace wva_metrics::samples {

/// How often the counter began anew: its value is lower than the one before.
inline std::size_t count_resets(std::span<const Sample> samples) noexcept {
    std::size_t resets = 0;
    for (std::size_t i = 1; i < samples.size(); ++i)
        resets += samples[i].value < samples[i - 1].value ? 1U : 0U;
    return resets;
}

/// By how much the counter rose at most from one sample to the next.
inline double largest_rise(std::span<const Sample> samples) noexcept {
    double rise = 0;
    for (std::size_t i = 1; i < samples.size(); ++i)
        rise = std::max(rise, samples[i].value - samples[i - 1].value);
    return rise;
}

/// True if a counter that fell from one sample to the next did not begin anew: it fell by less than an
/// eighth of what it had counted, which is also VictoriaMetrics' limit, and what it has now is far more
/// than it counts between two samples (`rise`), so that a new process cannot have counted that much. A
/// store that fills the gaps of one scraper with the samples of another, as Thanos does, shows such a
/// fall where it changes from the one to the other.
inline bool is_dip(double before, double after, double rise) noexcept {
    constexpr double parts = 8;
    return after < before && (before - after) * parts < before && rise * parts < after;
}

/// The samples of a counter with each dip raised to the value before it, if there is one; else
/// nothing.
inline std::vector<Sample> level_dips(std::span<const Sample> samples) {
    const double rise = largest_rise(samples);
    std::vector<Sample> level;
    for (std::size_t i = 1; i < samples.size(); ++i) {
        const double before = level.empty() ? samples[i - 1].value : level[i - 1].value;
        if (!is_dip(before, samples[i].value, rise))
            continue;
        if (level.empty())
            level.assign(samples.begin(), samples.end());
        level[i].value = before;
    }
    return level;
}

/// True if the counter fell between two samples, and another one with samples of the same times did
/// not.
inline bool falls_without(std::span<const Sample> samples, std::span<const Sample> other) noexcept {
    std::size_t j = 1;
    for (std::size_t i = 1; i < samples.size(); ++i) {
        if (!(samples[i].value < samples[i - 1].value))
            continue;
        while (j < other.size() && other[j].time < samples[i].time)
            ++j;
        const bool are_both_there = j < other.size() && other[j].time == samples[i].time &&
                                    other[j - 1].time == samples[i - 1].time;
        if (are_both_there && other[j].value >= other[j - 1].value)
            return true;
    }
    return false;
}

/// By how much the counter grew from the first sample to the last. After a reset it grew from zero.
/// Zero if there are fewer than two samples.
inline double increase(std::span<const Sample> samples) noexcept {
    if (samples.empty())
        return 0;
    double grown = samples.back().value - samples.front().value;
    for (std::size_t i = 1; i < samples.size(); ++i)
        if (samples[i].value < samples[i - 1].value)
            grown += samples[i - 1].value;
    return grown;
}

/// The time of the first sample after the counter's last reset; empty if it was never reset. A dip is
/// no reset. Values that are NaN are ignored.
inline std::optional<ServerTime> last_reset(std::span<const Sample> samples) noexcept {
    const double rise = largest_rise(samples);
    std::optional<ServerTime> reset;
    double before = -std::numeric_limits<double>::infinity();
    for (const Sample& sample : samples) {
        if (std::isnan(sample.value))
            continue;
        if (is_dip(before, sample.value, rise))
            continue;
        if (sample.value < before)
            reset = sample.time;
        before = sample.value;
    }
    return reset;
}

/// Where the samples of a series lie in a window, in seconds.
struct SampleSpread {
    /// From the first sample to the last.
    double sampled = 0;
    /// From the window's start to the first sample, and from the last sample to its end.
    double to_start = 0;
    double to_end = 0; ///< See `to_start`.
    /// The mean time between two samples.
    double mean = 0;
    /// After more spacings than this without a sample, a series does not reach the window's edge.
    /// The number is Prometheus' own.
    static constexpr double reach = 1.1;
    /// The same, in seconds.
    double limit() const noexcept { return mean * reach; }
    /// True if the series may have been there when the window began.
    bool reaches_start() const noexcept { return to_start < limit(); }
    /// True if the series may still have been there when the window ended.
    bool reaches_end() const noexcept { return to_end < limit(); }
};

/// Where samples lie that were taken from `first` to `last`, `count` in all, at least two.
inline SampleSpread spread_of(ServerTime first, ServerTime last, std::size_t count,
                              ServerTime start, ServerTime end) noexcept {
    using Seconds = std::chrono::duration<double>;
    SampleSpread spread;
    spread.sampled = Seconds(last - first).count();
    spread.to_start = Seconds(first - start).count();
    spread.to_end = Seconds(end - last).count();
    spread.mean = spread.sampled / static_cast<double>(count - 1);
    return spread;
}

/// The counter's increase per second over the window (start, end], exactly as `rate()` of
/// Prometheus 2.53 and later computes it (`extrapolatedRate` in promql/functions.go): extrapolated
/// to the window's edges, or by half a spacing where the series does not reach them, and never to
/// before the counter's zero. All samples lie in the window.
///
/// Empty if there are fewer than two samples, or if the window or the time between them is empty.
inline std::optional<double> rate_per_second(std::span<const Sample> samples, ServerTime start,
                                             ServerTime end) noexcept {
    if (samples.size() < 2 || end <= start || samples.back().time <= samples.front().time)
        return std::nullopt;
    const SampleSpread spread =
        spread_of(samples.front().time, samples.back().time, samples.size(), start, end);
    const double grown = increase(samples);
    double before = spread.reaches_start() ? spread.to_start : spread.mean / 2;
    const double first = samples.front().value;
    if (grown > 0 && first >= 0)
        before = std::min(before, spread.sampled * (first / grown));
    const double after = spread.reaches_end() ? spread.to_end : spread.mean / 2;
    const double window = std::chrono::duration<double>(end - start).count();
    return grown * ((spread.sampled + before + after) / spread.sampled / window);
}

} // namespace wva_metrics::samples
