// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/detail/signal_rows.hpp"
#include "wva_metrics/reading.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace wva_metrics::detail {

/// What is known of one part of one metric on one pod: a number for each of its engines.
struct PartValues {
    std::size_t count = 0;
    double sum = 0;
    double highest = -std::numeric_limits<double>::infinity();
    TimePoint oldest_asked = TimePoint::max();

    void add(const SignalRow& row) noexcept {
        ++count;
        sum += row.value;
        // NaN must not get lost: whether it is the highest is unknown.
        highest = std::isnan(row.value) || std::isnan(highest)
                      ? std::numeric_limits<double>::quiet_NaN()
                      : std::max(highest, row.value);
        oldest_asked = std::min(oldest_asked, row.asked_at);
    }
};

inline PartValues values_of(std::span<const SignalRow> pod, promql::PartTag tag) noexcept {
    PartValues values;
    for (const SignalRow& row : pod)
        if (row.tag == tag)
            values.add(row);
    return values;
}

/// When the oldest of the samples behind `values` was taken.
///
/// A number without a time comes from the window, not from the last scrape: its series has ended.
/// Then all that is known is that it is at most a window old, and so it is taken to be.
inline TimePoint sampled_at(std::span<const SignalRow> pod, std::size_t alias,
                            const PartValues& values, Duration window) noexcept {
    TimePoint oldest = TimePoint::max();
    std::size_t times = 0;
    for (const SignalRow& row : pod) {
        if (row.tag == promql::PartTag{promql::Part::time, alias}) {
            oldest = std::min(oldest, row.sampled_at());
            ++times;
        }
    }
    if (times == 0 || times < values.count)
        oldest = std::min(oldest, values.oldest_asked - window);
    return oldest;
}

enum class AcrossEngines { highest, sum };

/// A gauge of one pod, from the first of its metric names that has a value.
inline Reading<double> gauge_reading(std::span<const SignalRow> pod,
                                     const std::vector<MetricName>& metrics, AcrossEngines across,
                                     Duration window) {
    for (std::size_t alias = 0; alias < metrics.size(); ++alias) {
        const PartValues values = values_of(pod, {promql::Part::value, alias});
        if (values.count == 0)
            continue;
        const double value = across == AcrossEngines::sum ? values.sum : values.highest;
        return Reading<double>::measured(value, sampled_at(pod, alias, values, window),
                                         metrics[alias]);
    }
    return Reading<double>::missing(ReadingReason::no_series);
}

/// Rates of several pods put together.
struct RateTotal {
    std::size_t pods = 0;
    double numerator = 0;
    double denominator = 0;
    TimePoint oldest = TimePoint::max();
    /// The most preferred of the names that answered.
    std::optional<std::size_t> alias;

    void add(std::size_t from_alias, double top, double bottom, TimePoint sampled) noexcept {
        ++pods;
        numerator += top;
        denominator += bottom;
        oldest = std::min(oldest, sampled);
        alias = alias ? std::min(*alias, from_alias) : from_alias;
    }
};

/// Adds a pod's rate to a total, from the first name that has one.
inline void add_rate(RateTotal& total, std::span<const SignalRow> pod, std::size_t aliases,
                     Duration window) {
    for (std::size_t alias = 0; alias < aliases; ++alias) {
        const PartValues rate = values_of(pod, {promql::Part::rate, alias});
        if (rate.count > 0)
            return total.add(alias, rate.sum, 1, sampled_at(pod, alias, rate, window));
    }
}

/// Adds a pod's histogram, its sum over its count, from the first name that has both.
inline void add_average(RateTotal& total, std::span<const SignalRow> pod, std::size_t aliases,
                        Duration window) {
    for (std::size_t alias = 0; alias < aliases; ++alias) {
        const PartValues sum = values_of(pod, {promql::Part::sum, alias});
        const PartValues count = values_of(pod, {promql::Part::count, alias});
        if (sum.count > 0 && count.count > 0)
            return total.add(alias, sum.sum, count.sum, sampled_at(pod, alias, count, window));
    }
}

inline Reading<double> per_minute(const RateTotal& total, const std::vector<MetricName>& metrics) {
    constexpr double seconds_per_minute = 60;
    return Reading<double>::measured(total.numerator * seconds_per_minute, total.oldest,
                                     metrics[*total.alias]);
}

/// Missing where fewer than `min_requests` requests were counted in the window: not 0, and not a
/// huge number.
inline Reading<double> average(const RateTotal& total, const std::vector<MetricName>& metrics,
                               Duration window, double min_requests) {
    const double requests = total.denominator * std::chrono::duration<double>(window).count();
    const MetricName metric = metrics[*total.alias];
    if (requests < min_requests || total.denominator == 0)
        return Reading<double>::missing(ReadingReason::no_requests, metric);
    return Reading<double>::measured(total.numerator / total.denominator, total.oldest, metric);
}

} // namespace wva_metrics::detail
