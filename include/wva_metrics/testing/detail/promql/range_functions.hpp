// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/testing/detail/promql/expression.hpp"
#include "wva_metrics/testing/detail/promql/series_store.hpp"

#include <cmath>
#include <cstddef>
#include <functional>
#include <optional>
#include <span>

namespace wva_metrics::testing::detail {

// These functions take the samples of one window, in time order, without stale markers.

/// A sum that compensates for rounding, as in Prometheus (Neumaier's variant of Kahan summation).
class CompensatedSum {
public:
    void add(double increment) noexcept {
        const double sum = sum_ + increment;
        const bool old_is_larger = std::abs(sum_) >= std::abs(increment);
        lost_ += old_is_larger ? (sum_ - sum) + increment : (increment - sum) + sum_;
        sum_ = sum;
    }
    double uncompensated() const noexcept { return sum_; }
    double value() const noexcept { return std::isinf(sum_) ? sum_ : sum_ + lost_; }

private:
    double sum_ = 0;
    double lost_ = 0;
};

/// True if an infinite running mean does not change when `value` is added.
inline bool leaves_infinite_mean(double mean, double value) noexcept {
    if (!std::isinf(mean))
        return false;
    return std::isinf(value) ? (mean > 0) == (value > 0) : !std::isnan(value);
}

/// The increase of a counter in a window, extrapolated to the edges of the window; empty if there
/// are fewer than two samples.
///
/// A value below its predecessor is a reset to 0. If the gap to an edge is shorter than 1.1 average
/// distances between samples, the increase is extrapolated to the edge, otherwise by half a
/// distance. At the start it is never extrapolated further than to a counter of 0.
inline std::optional<double> extrapolated_increase(std::span<const Sample> samples,
                                                   Milliseconds window_start,
                                                   Milliseconds window_end) noexcept {
    if (samples.size() < 2)
        return std::nullopt;
    const auto seconds = [](Milliseconds from, Milliseconds to) {
        return static_cast<double>(to - from) / 1000;
    };
    const Sample& first = samples.front();
    const Sample& last = samples.back();
    double increase = last.value - first.value;
    for (std::size_t i = 1; i < samples.size(); ++i) {
        if (samples[i].value < samples[i - 1].value)
            increase += samples[i - 1].value;
    }

    const double sampled = seconds(first.time, last.time);
    const double distance = sampled / static_cast<double>(samples.size() - 1);
    double gap_at_start = seconds(window_start, first.time);
    const double gap_at_end = seconds(last.time, window_end);
    if (increase > 0 && first.value >= 0) {
        const double since_zero = sampled * (first.value / increase);
        if (since_zero < gap_at_start)
            gap_at_start = since_zero;
    }
    const double reachable = distance * 1.1;
    double covered = sampled;
    covered += gap_at_start < reachable ? gap_at_start : distance / 2;
    covered += gap_at_end < reachable ? gap_at_end : distance / 2;
    return increase * (covered / sampled);
}

/// `extrapolated_increase` per second of the window.
inline std::optional<double> extrapolated_rate(std::span<const Sample> samples,
                                               Milliseconds window_start,
                                               Milliseconds window_end) noexcept {
    const auto increase = extrapolated_increase(samples, window_start, window_end);
    if (!increase)
        return std::nullopt;
    return *increase / (static_cast<double>(window_end - window_start) / 1000);
}

/// The first sample that `better` prefers to all others; NaN only if all samples are NaN.
template <typename Better>
double best_of(std::span<const Sample> samples, Better&& better) noexcept {
    double best = samples.front().value;
    for (const Sample& sample : samples) {
        if (std::isnan(best) || better(sample.value, best))
            best = sample.value;
    }
    return best;
}

inline double sum_of(std::span<const Sample> samples) noexcept {
    CompensatedSum sum;
    for (const Sample& sample : samples)
        sum.add(sample.value);
    return sum.value();
}

/// The mean, computed incrementally so that it does not overflow if the sum would.
inline double mean_of(std::span<const Sample> samples) noexcept {
    CompensatedSum mean;
    double count = 0;
    for (const Sample& sample : samples) {
        ++count;
        const double so_far = mean.uncompensated();
        if (!leaves_infinite_mean(so_far, sample.value))
            mean.add(sample.value / count - so_far / count);
    }
    return mean.value();
}

/// The result of a function of a range for one series; empty if the window holds too few samples.
inline std::optional<double> apply_range_function(Function function,
                                                  std::span<const Sample> samples,
                                                  Milliseconds window_start,
                                                  Milliseconds window_end) {
    switch (function) {
    case Function::rate:
        return extrapolated_rate(samples, window_start, window_end);
    case Function::increase:
        return extrapolated_increase(samples, window_start, window_end);
    case Function::max_over_time:
        return best_of(samples, std::greater<>());
    case Function::min_over_time:
        return best_of(samples, std::less<>());
    case Function::avg_over_time:
        return mean_of(samples);
    case Function::sum_over_time:
        return sum_of(samples);
    case Function::last_over_time:
        return samples.back().value;
    case Function::count_over_time:
        return static_cast<double>(samples.size());
    default:
        return std::nullopt;
    }
}

} // namespace wva_metrics::testing::detail
