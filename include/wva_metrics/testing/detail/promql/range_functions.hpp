// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/testing/detail/promql/series_store.hpp"

#include <cmath>
#include <cstddef>
#include <optional>
#include <span>

namespace wva_metrics::testing::detail {

// The samples given to these functions are those of one window, in time order, without stale ones.

/// A sum that keeps what rounding loses, as Prometheus' does (Neumaier's variant of Kahan's).
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

/// Whether an infinite running mean stays as it is when `value` is added.
inline bool leaves_infinite_mean(double mean, double value) noexcept {
    if (!std::isinf(mean))
        return false;
    return std::isinf(value) ? (mean > 0) == (value > 0) : !std::isnan(value);
}

/// How much a counter grew in a window, extrapolated to the window's edges; nothing where there are
/// fewer than two samples.
///
/// A value below its predecessor is a reset, after which the counter grew from 0. An edge is
/// reached where the gap to it is under 1.1 average distances of samples, and otherwise approached
/// by half a distance; backwards never further than to where the counter would have been 0.
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

/// The first sample that `better` prefers to all others; NaN only where all are.
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

/// The mean, formed step by step so that it does not overflow where the sum would.
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

} // namespace wva_metrics::testing::detail
