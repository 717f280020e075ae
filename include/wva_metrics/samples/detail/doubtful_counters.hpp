// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/samples/counter.hpp"
#include "wva_metrics/samples/metric_set.hpp"
#include "wva_metrics/samples/rate_window.hpp"
#include "wva_metrics/samples/sample.hpp"
#include "wva_metrics/samples/sample_rules.hpp"
#include "wva_metrics/samples/view.hpp"
#include "wva_metrics/samples/window.hpp"
#include "wva_metrics/signal.hpp"

#include <algorithm>
#include <span>

// Counters that cannot be those of one process.

namespace wva_metrics::samples::detail {

inline std::span<const Sample> samples_in(const Series& series, const RateWindow& window) noexcept {
    return samples_within(series.samples, window.start, window.end);
}

/// True if the counters of requests show that several processes write this view in turn. Then its
/// gauges are those of whichever was scraped last.
inline bool is_of_several(const View& view, const MetricSet& metrics, const RateWindow& window,
                          const SampleRules& rules) {
    bool has_too_many = false;
    for (const SignalSource& source : metrics.sources(Signal::arrival_rate))
        source.for_each_part([&](MetricId metric) {
            for (const Series& series : series_of(view, metric))
                has_too_many |= count_resets(samples_in(series, window)) > rules.max_resets;
        });
    return has_too_many;
}

/// True if a sum fell and its count did not. Then something negative was observed, or a restart is
/// seen in one of the two only: their quotient is no average.
inline bool falls_alone(const View& view, MetricId sum, MetricId count, const RateWindow& window) {
    const auto counts = series_of(view, count);
    return std::ranges::any_of(series_of(view, sum), [&](const Series& series) {
        const auto other =
            std::ranges::lower_bound(counts, series.server_labels, {}, &Series::server_labels);
        return other != counts.end() && other->server_labels == series.server_labels &&
               falls_without(samples_in(series, window), samples_in(*other, window));
    });
}

} // namespace wva_metrics::samples::detail
