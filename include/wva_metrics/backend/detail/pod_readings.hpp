// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/detail/signal_rows.hpp"
#include "wva_metrics/reading.hpp"

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

/// What is known of one part of one metric on one pod, put together from its engines.
struct PartValues {
    std::size_t count = 0;
    double sum = 0;
    double highest = -std::numeric_limits<double>::infinity();
    TimePoint oldest = TimePoint::max();

    void add(double value, TimePoint sampled_at) noexcept {
        ++count;
        sum += value;
        // NaN must not get lost: whether it is the highest is unknown.
        highest = std::isnan(value) || std::isnan(highest)
                      ? std::numeric_limits<double>::quiet_NaN()
                      : std::max(highest, value);
        oldest = std::min(oldest, sampled_at);
    }
};

/// The values of one part, and whether their series are alive.
///
/// A value without a time comes from the window, not from the last scrape: its series has ended.
/// Beside living ones it belongs to what ran in the pod before, and is left out. Where none lives,
/// all that is known is that it is at most a window old, and so it is taken to be.
struct FoundValues {
    PartValues values;
    bool are_alive = false;
};

/// The rows with one tag, of one pod's sorted rows.
inline std::span<const SignalRow> rows_of_part(std::span<const SignalRow> pod,
                                               promql::PartTag tag) noexcept {
    const auto order = [](promql::PartTag of) { return std::pair(of.alias, of.part); };
    const auto order_of_row = [&](const SignalRow& row) { return order(row.tag); };
    return {std::ranges::lower_bound(pod, order(tag), {}, order_of_row),
            std::ranges::upper_bound(pod, order(tag), {}, order_of_row)};
}

/// `pod` are one pod's rows, sorted.
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
            ended.add(row.value, row.asked_at - window);
    }
    return living.count > 0 ? FoundValues{living, true} : FoundValues{ended, false};
}

/// Whether any series of one pod's rows is alive, by whatever name: then the pod is still scraped.
inline bool has_living_series(std::span<const SignalRow> pod) noexcept {
    return std::ranges::any_of(
        pod, [](const SignalRow& row) { return row.tag.part == promql::Part::time; });
}

/// Calls `use(alias, values)` for the first of a signal's names that has a value and is
/// alive, else for the first that has a value; for none where none has. A server that was renamed
/// under way still has the old name's values in the window. `part` is what counts as a value.
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

enum class AcrossEngines { highest, sum };

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

/// Adds a pod's rate to a total.
inline void add_rate(RateTotal& total, std::span<const SignalRow> pod, std::size_t names,
                     Duration window) {
    use_best_name(pod, promql::Part::rate, names, window,
                  [&](std::size_t alias, const PartValues& rate) {
                      total.add(alias, rate.sum, 1, rate.oldest);
                  });
}

/// Adds a pod's histogram to a total, its sum over its count.
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

/// Missing where fewer than `min_requests` requests were counted in the window: not 0, and not a
/// huge number.
inline Reading<double> average(const RateTotal& total, const std::vector<MetricName>& metrics,
                               Duration window, double min_requests) {
    const double requests = total.denominator * std::chrono::duration<double>(window).count();
    const MetricName metric = metrics[*total.alias];
    if (requests < min_requests || total.denominator == 0)
        return Reading<double>::missing(ReadingReason::no_requests, metric);
    // A share of infinitely many is no number either, though the division would give 0.
    const double value = std::isfinite(total.denominator)
                             ? total.numerator / total.denominator
                             : std::numeric_limits<double>::quiet_NaN();
    return Reading<double>::measured(value, total.oldest, metric);
}

} // namespace wva_metrics::detail
