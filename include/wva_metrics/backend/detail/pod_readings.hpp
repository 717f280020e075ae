// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/detail/signal_rows.hpp"
#include "wva_metrics/reading.hpp"
#include "wva_metrics/signal.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <limits>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace wva_metrics::detail {

/// The values of one part of one metric of one pod, aggregated over its engines.
struct PartValues {
    std::size_t count = 0;
    double sum = 0;
    double highest = -std::numeric_limits<double>::infinity();
    TimePoint oldest = TimePoint::max();

    void add(double value, TimePoint sampled_at) noexcept {
        ++count;
        sum += value;
        // NaN must be kept: the highest value is unknown then.
        highest = std::isnan(value) || std::isnan(highest)
                      ? std::numeric_limits<double>::quiet_NaN()
                      : std::max(highest, value);
        oldest = std::min(oldest, sampled_at);
    }
};

/// The values of one part, and whether their series are alive.
///
/// A value without a `time` row comes from the window, not from the last scrape: its series has
/// ended. It is ignored if other series are alive, because it belongs to a previous process in the
/// pod. If no series is alive, its sample is at most one window old, so its age is set to one
/// window.
struct FoundValues {
    PartValues values;
    bool are_alive = false;
};

/// The rows with one tag among one pod's sorted rows.
inline std::span<const SignalRow> rows_of_part(std::span<const SignalRow> pod,
                                               promql::PartTag tag) noexcept {
    const auto order = [](promql::PartTag of) { return std::pair(of.alias, of.part); };
    const auto order_of_row = [&](const SignalRow& row) { return order(row.tag); };
    return {std::ranges::lower_bound(pod, order(tag), {}, order_of_row),
            std::ranges::upper_bound(pod, order(tag), {}, order_of_row)};
}

/// `pod` holds the sorted rows of one pod.
inline FoundValues find_values(std::span<const SignalRow> pod, promql::PartTag tag,
                               Duration window) noexcept {
    const auto times = rows_of_part(pod, {promql::Part::time, tag.alias});
    PartValues living;
    PartValues ended;
    for (const SignalRow& row : rows_of_part(pod, tag)) {
        const auto time = std::ranges::lower_bound(times, row.engine, {}, &SignalRow::engine);
        if (time != times.end() && time->engine == row.engine)
            living.add(row.value, time->sampled_at());
        else
            ended.add(row.value, row.requested_at - window);
    }
    return living.count > 0 ? FoundValues{living, true} : FoundValues{ended, false};
}

/// Whether any series of a pod is alive, under any metric name: then the pod is still scraped.
inline bool has_living_series(std::span<const SignalRow> pod) noexcept {
    return std::ranges::any_of(
        pod, [](const SignalRow& row) { return row.tag.part == promql::Part::time; });
}

/// Calls `use(alias, values)` for the first of a signal's metric names that has living values, or
/// else for the first that has values. Does not call it if no name has values. (After an update
/// that renamed a metric, the window still holds values under the old name.) `part` is the part
/// that counts as a value.
template <typename Use>
void use_best_name(std::span<const SignalRow> pod, promql::Part part, std::size_t names,
                   Duration window, Use&& use) {
    for (const bool must_be_alive : {true, false}) {
        for (std::size_t alias = 0; alias < names; ++alias) {
            const FoundValues found = find_values(pod, {part, alias}, window);
            if (found.values.count > 0 && (found.are_alive || !must_be_alive)) {
                use(alias, found.values);
                return;
            }
        }
    }
}

/// A gauge of one pod.
inline Reading<double> gauge_reading(std::span<const SignalRow> pod,
                                     const std::vector<MetricName>& metrics, AcrossEngines across,
                                     Duration window) {
    auto reading = Reading<double>::missing(ReadingReason::no_series);
    use_best_name(pod, promql::Part::value, metrics.size(), window,
                  [&](std::size_t alias, const PartValues& values) {
                      const double value =
                          across == AcrossEngines::sum ? values.sum : values.highest;
                      reading = Reading<double>::measured(value, values.oldest, metrics[alias]);
                  });
    return reading;
}

/// The sum of the rates of several pods.
struct RateTotal {
    std::size_t pods = 0;
    double numerator = 0;
    double denominator = 0;
    TimePoint oldest = TimePoint::max();
    /// The most preferred of the metric names that had values.
    std::optional<std::size_t> alias;

    void add(std::size_t from_alias, double top, double bottom, TimePoint sampled) noexcept {
        ++pods;
        numerator += top;
        denominator += bottom;
        oldest = std::min(oldest, sampled);
        alias = alias ? std::min(*alias, from_alias) : from_alias;
    }
};

/// Adds a pod's rate to a total.
inline void add_rate(RateTotal& total, std::span<const SignalRow> pod, std::size_t names,
                     Duration window) {
    use_best_name(pod, promql::Part::rate, names, window,
                  [&](std::size_t alias, const PartValues& rate) {
                      total.add(alias, rate.sum, 1, rate.oldest);
                  });
}

/// Adds a pod's histogram to a total: its sum to the numerator, its count to the denominator.
inline void add_average(RateTotal& total, std::span<const SignalRow> pod, std::size_t names,
                        Duration window) {
    use_best_name(
        pod, promql::Part::count, names, window, [&](std::size_t alias, const PartValues& count) {
            const PartValues sum = find_values(pod, {promql::Part::sum, alias}, window).values;
            if (sum.count > 0)
                total.add(alias, sum.sum, count.sum, count.oldest);
        });
}

inline Reading<double> per_minute(const RateTotal& total, const std::vector<MetricName>& metrics) {
    constexpr double seconds_per_minute = 60;
    return Reading<double>::measured(total.numerator * seconds_per_minute, total.oldest,
                                     metrics[*total.alias]);
}

/// Missing if the window has fewer than `min_requests` requests: then it is neither 0 nor a huge
/// number.
inline Reading<double> average(const RateTotal& total, const std::vector<MetricName>& metrics,
                               Duration window, double min_requests) {
    const double requests = total.denominator * std::chrono::duration<double>(window).count();
    const MetricName metric = metrics[*total.alias];
    if (requests < min_requests || total.denominator == 0)
        return Reading<double>::missing(ReadingReason::no_requests, metric);
    // An infinite count makes the average invalid, although the division would give 0.
    const double value = std::isfinite(total.denominator)
                             ? total.numerator / total.denominator
                             : std::numeric_limits<double>::quiet_NaN();
    return Reading<double>::measured(value, total.oldest, metric);
}

} // namespace wva_metrics::detail
