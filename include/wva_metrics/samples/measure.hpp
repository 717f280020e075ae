// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/reading.hpp"
#include "wva_metrics/samples/combine.hpp"
#include "wva_metrics/samples/counter.hpp"
#include "wva_metrics/samples/counter_growth.hpp"
#include "wva_metrics/samples/gauge_peak.hpp"
#include "wva_metrics/samples/metric_set.hpp"
#include "wva_metrics/samples/rate_window.hpp"
#include "wva_metrics/samples/sample_rules.hpp"
#include "wva_metrics/samples/signal_value.hpp"
#include "wva_metrics/samples/view.hpp"
#include "wva_metrics/samples/window.hpp"
#include "wva_metrics/signal.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace wva_metrics::samples {

/// Measures the signals of one process by one view of it. What all signals share, such as the
/// window of the rates, is computed once.
///
/// The view, the metrics and the rules must outlive it.
///
/// **Threads:** safe, because it does not change.
class ViewMeasurer {
public:
    /// `now` is when the windows end, on the clock of the server.
    ViewMeasurer(const View& view, const MetricSet& metrics, ServerTime now,
                 const SampleRules& rules)
        : view_(view), metrics_(metrics), rules_(rules), now_(now), spacing_(scrape_spacing(view)),
          rate_window_(find_rate_window(view, now, rules)), restarted_(find_restart()) {}

    /// The value by the first name that has one. The names of living series come first, so that a
    /// process that began anew under another name is not measured by what its predecessor left.
    SignalValue measure(Signal signal) const {
        std::optional<SignalValue> failed;
        for (const bool living : {true, false}) {
            const auto sources = metrics_.sources(signal);
            for (std::size_t i = 0; i < sources.size(); ++i) {
                const auto series = series_of(sources[i].metric);
                if (series.empty() || is_living(series) != living)
                    continue;
                SignalValue value = measure_source(signal, sources[i]);
                value.alias = i;
                value.spacing = spacing_.value_or(ServerDuration::zero());
                if (value.reason == ReadingReason::none)
                    return value;
                if (!failed)
                    failed = value;
            }
        }
        return failed.value_or(SignalValue{});
    }

private:
    std::span<const Series> series_of(MetricId metric) const noexcept {
        const auto first = std::ranges::lower_bound(view_.series, metric, {}, &Series::metric);
        const auto last =
            std::ranges::upper_bound(first, view_.series.end(), metric, {}, &Series::metric);
        return {first, last};
    }

    static bool is_living(std::span<const Series> series) noexcept {
        return !std::ranges::all_of(series, &Series::has_ended);
    }

    /// When the process that answers now was first seen after a reset of a counter: the gauges
    /// before it are those of its predecessor.
    std::optional<ServerTime> find_restart() const {
        std::optional<ServerTime> newest;
        for (const Series& series : view_.series)
            if (metrics_.is_counter(series.metric))
                newest = std::max(newest, last_reset(series.samples));
        return newest;
    }

    SignalValue measure_source(Signal signal, const SignalSource& source) const {
        switch (computation_of(signal)) {
        case Computation::counter_rate:
            return measure_rate(source);
        case Computation::average:
            return measure_average(source);
        case Computation::presence:
            return measure_gauge(signal, source.metric, ServerDuration::zero());
        case Computation::gauge_peak:
            return measure_gauge(signal, source.metric, rules_.peak);
        }
        return {};
    }

    CounterGrowth grow(MetricId metric) const {
        return growth_of(series_of(metric), rate_window_, rules_.max_resets, view_.has_ended);
    }

    SignalValue measure_rate(const SignalSource& source) const {
        const CounterGrowth growth = grow(source.metric);
        SignalValue result;
        result.reason = growth.reason;
        result.value = growth.per_second;
        result.time = growth.newest;
        result.window = rate_window_.length();
        return result;
    }

    SignalValue measure_average(const SignalSource& source) const {
        const CounterGrowth count = grow(source.metric);
        const CounterGrowth sum = grow(source.sum);
        SignalValue result;
        result.reason = count.reason != ReadingReason::none ? count.reason : sum.reason;
        result.value = sum.per_second;
        result.weight = count.per_second;
        result.time = std::max(count.newest, sum.newest);
        result.window = rate_window_.length();
        return result;
    }

    /// The peak and the last sample of a gauge, of all engines that live. `peak` is the window; 0
    /// stands for the last sample.
    SignalValue measure_gauge(Signal signal, MetricId metric, ServerDuration peak) const {
        const ServerTime start = peak_start(peak);
        std::vector<SignalValue> engines;
        for (const Series& series : series_of(metric)) {
            // An engine that ended while its process lives does not count.
            if (series.has_ended && !view_.has_ended)
                continue;
            engines.push_back(peak_of(series, start, now_));
            engines.back().window = peak_length(start);
        }
        return combine(engines, signal);
    }

    /// Where the window of a peak starts: not before a restart, whose own first sample counts.
    ServerTime peak_start(ServerDuration peak) const {
        const ServerTime start = now_ - peak;
        return restarted_ ? std::max(start, *restarted_ - ServerDuration(1)) : start;
    }

    /// Over how long a peak was looked for: from the start of its window, if the view's samples
    /// reach back so far, or else from the first one.
    ServerDuration peak_length(ServerTime start) const {
        const auto times = times_within(view_.times, start, now_);
        if (times.empty())
            return ServerDuration::zero();
        // Without a known spacing nothing tells that the gauge was there before its first sample.
        const bool is_covered = spacing_ && times.front() - start < SampleSpread::reach * *spacing_;
        const bool is_cut = restarted_ && *restarted_ > start;
        return is_covered && !is_cut ? now_ - start : now_ - times.front();
    }

    const View& view_;
    const MetricSet& metrics_;
    const SampleRules& rules_;
    ServerTime now_;
    std::optional<ServerDuration> spacing_;
    RateWindow rate_window_;
    std::optional<ServerTime> restarted_;
};

/// What one view of a process says of one signal. Windows end at `now`, on the clock of the server.
/// A caller that needs several signals of a view keeps a `ViewMeasurer`.
inline SignalValue measure(const View& view, Signal signal, const MetricSet& metrics,
                           ServerTime now, const SampleRules& rules) {
    return ViewMeasurer(view, metrics, now, rules).measure(signal);
}

} // namespace wva_metrics::samples
