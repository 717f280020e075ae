// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/reading.hpp"
#include "wva_metrics/samples/counter.hpp"
#include "wva_metrics/samples/counter_growth.hpp"
#include "wva_metrics/samples/metric_set.hpp"
#include "wva_metrics/samples/rate_window.hpp"
#include "wva_metrics/samples/sample_rules.hpp"
#include "wva_metrics/samples/signal_value.hpp"
#include "wva_metrics/samples/view.hpp"
#include "wva_metrics/samples/window.hpp"
#include "wva_metrics/signal.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>
#include <span>

namespace wva_metrics::samples {

namespace detail {

/// How many requests a series counted in the window, never fewer than there were. One that began in
/// the window counts from zero, so that its first sample counts too. A dip may have been a restart, and
/// counts as one.
inline double count_in(const Series& series, const RateWindow& window,
                       std::optional<ServerDuration> spacing) {
    const auto inside = samples_within(series.samples, window.start, window.end);
    if (inside.empty())
        return 0;
    const bool has_begun =
        window.covered || !spacing || inside.front().time - window.start > *spacing + *spacing / 2;
    return increase(inside) + (has_begun ? inside.front().value : 0);
}

/// True if the view was not scraped for so long that somebody else may have served meanwhile.
inline bool has_gap(std::span<const ServerTime> times, std::optional<ServerDuration> spacing,
                    double max_missed_scrapes) {
    for (std::size_t i = 1; i < times.size(); ++i)
        if (!spacing || std::chrono::duration<double>(times[i] - times[i - 1]) >
                            max_missed_scrapes * std::chrono::duration<double>(*spacing))
            return true;
    return false;
}

} // namespace detail

/// How many requests a process has finished in the window of its rates: never fewer than there
/// were, and 0 only if that is certain. Without a growth, the reason is that of the rate. If none
/// is seen, but the samples do not reach back to the start of the window or have a gap, it is
/// `warming_up`.
inline SignalValue count_requests(const View& view, const MetricSet& metrics, ServerTime now,
                                  const SampleRules& rules) {
    const RateWindow window = find_rate_window(view, now, rules);
    const std::optional<ServerDuration> spacing = view.spacing();
    const auto sources = metrics.sources(Signal::arrival_rate);
    SignalValue counted;
    if (sources.empty())
        counted.reason = ReadingReason::not_provided;
    for (std::size_t i = 0; i < sources.size() && counted.reason != ReadingReason::none; ++i) {
        SignalValue value;
        value.alias = i;
        value.window = window.length();
        value.spacing = spacing.value_or(ServerDuration::zero());
        sources[i].for_each_part([&](MetricId metric) {
            const std::span<const Series> series = series_of(view, metric);
            const CounterGrowth growth = growth_of(series, window, rules.max_resets, true);
            if (growth.reason == ReadingReason::no_series)
                return;
            if (value.reason == ReadingReason::no_series || value.reason == ReadingReason::none)
                value.reason = growth.reason;
            value.time = std::max(value.time, growth.newest);
            for (const Series& one : series)
                value.value += detail::count_in(one, window, spacing) * sources[i].scale;
        });
        if (value.reason != ReadingReason::no_series)
            counted = value;
    }
    const bool is_whole =
        !window.covered && !detail::has_gap(times_within(view.times, window.start, window.end),
                                            spacing, rules.max_missed_scrapes);
    if (counted.reason == ReadingReason::none && counted.value == 0 && !is_whole)
        counted.reason = ReadingReason::warming_up;
    return counted;
}

} // namespace wva_metrics::samples
