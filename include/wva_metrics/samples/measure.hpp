// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/reading.hpp"
#include "wva_metrics/samples/combine.hpp"
#include "wva_metrics/samples/counter.hpp"
#include "wva_metrics/samples/counter_growth.hpp"
#include "wva_metrics/samples/detail/doubtful_counters.hpp"
#include "wva_metrics/samples/gauge_peak.hpp"
#include "wva_metrics/samples/histogram_growth.hpp"
#include "wva_metrics/samples/metric_set.hpp"
#include "wva_metrics/samples/native_growth.hpp"
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
#include <utility>
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
          rate_window_(find_rate_window(view, now, rules)), restarted_(find_restart()),
          is_of_several_(detail::is_of_several(view, metrics, rate_window_, rules)) {}

    /// What it measures.
    const View& view() const noexcept { return view_; }

    /// The value by the first name that has one. The names of living series come first, so that a
    /// process that began anew under another name is not measured by what its predecessor left.
    ///
    /// Without any name, the signal is `not_provided`.
    SignalValue measure(Signal signal) const {
        const auto sources = metrics_.sources(signal);
        if (sources.empty())
            return {.reason = ReadingReason::not_provided};
        std::optional<SignalValue> failed;
        for (const bool living : {true, false}) {
            for (std::size_t i = 0; i < sources.size(); ++i) {
                const std::optional<bool> lives = is_living(sources[i]);
                if (!lives || *lives != living)
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

    /// The growth of the buckets of a signal's histogram, by the first name that has one. Of a
    /// histogram that is there in both forms, the native one counts, because its buckets are finer.
    /// Not of a signal that is not in `MetricSet::histograms`: that is `not_provided`.
    HistogramValue measure_histogram(Signal signal) const {
        HistogramValue result{signal};
        const auto sources = metrics_.buckets(signal);
        if (sources.empty())
            result.value.reason = ReadingReason::not_provided;
        for (const HistogramSource& source : sources) {
            NativeGrowth native =
                native_growth_of(series_of(view_, source.native), rate_window_, rules_.max_resets);
            if (native.reason == ReadingReason::none) {
                take_native(std::move(native), source, result);
                break;
            }
            HistogramGrowth growth = histogram_growth_of(
                series_of(view_, source.bucket), rate_window_, rules_.max_resets, view_.has_ended);
            if (growth.reason == ReadingReason::no_series)
                growth = {native.reason, {}, std::max(growth.newest, native.newest)};
            const bool is_first = &source == &sources.front();
            if (!is_first && growth.reason != ReadingReason::none)
                continue;
            describe(result.value, growth.reason, growth.newest, source);
            if (growth.reason != ReadingReason::none)
                continue;
            // All observations are in the bucket of the highest bound, which comes last.
            result.value.value = result.value.weight = growth.buckets.back().count;
            for (ClassicBucket& bucket : growth.buckets)
                bucket.upper_bound *= source.scale;
            result.buckets = std::move(growth.buckets);
            break;
        }
        return result;
    }

private:
    void describe(SignalValue& value, ReadingReason reason, ServerTime newest,
                  const HistogramSource& source) const {
        value.reason = reason;
        value.time = newest;
        value.window = rate_window_.length();
        value.spacing = spacing_.value_or(ServerDuration::zero());
        value.alias = source.alias;
    }

    void take_native(NativeGrowth growth, const HistogramSource& source,
                     HistogramValue& result) const {
        describe(result.value, ReadingReason::none, growth.newest, source);
        result.value.value = result.value.weight = growth.histogram.count;
        result.scale = source.scale;
        result.native = std::move(growth.histogram);
    }

    /// Whether a series of the source lives; empty if there is none.
    std::optional<bool> is_living(const SignalSource& source) const {
        std::optional<bool> lives;
        source.for_each_part([&](MetricId metric) {
            for (const Series& series : series_of(view_, metric))
                lives = lives.value_or(false) || !series.has_ended;
        });
        return lives;
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
        SignalValue value = measure_unscaled(signal, source);
        value.value *= source.scale;
        value.latest *= source.scale;
        return value;
    }

    SignalValue measure_unscaled(Signal signal, const SignalSource& source) const {
        switch (computation_of(signal)) {
        case Computation::counter_rate:
            return measure_rate(source);
        case Computation::average:
            return measure_average(source);
        case Computation::presence:
        case Computation::gauge_last:
            return measure_gauge(signal, source, ServerDuration::zero());
        case Computation::gauge_peak:
            return measure_gauge(signal, source, rules_.peak);
        case Computation::histogram:
            break; // Only its buckets are measured.
        }
        return {};
    }

    CounterGrowth grow(MetricId metric) const {
        return growth_of(series_of(view_, metric), rate_window_, rules_.max_resets,
                         view_.has_ended);
    }

    /// Of counters that are added up, those count that are there.
    SignalValue measure_rate(const SignalSource& source) const {
        CounterGrowth growth;
        source.for_each_part([&](MetricId metric) {
            const CounterGrowth part = grow(metric);
            const bool has_failed =
                growth.reason != ReadingReason::none && growth.reason != ReadingReason::no_series;
            if (has_failed || part.reason == ReadingReason::no_series)
                return;
            growth.reason = part.reason;
            growth.per_second += part.per_second;
            growth.newest = std::max(growth.newest, part.newest);
        });
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
        if (result.reason == ReadingReason::none &&
            detail::falls_alone(view_, source.sum, source.metric, rate_window_))
            result.reason = ReadingReason::inconsistent;
        return result;
    }

    /// The peak and the last sample of a gauge, of all engines that live. `peak` is the window; 0
    /// stands for the last sample.
    SignalValue measure_gauge(Signal signal, const SignalSource& source,
                              ServerDuration peak) const {
        const ServerTime start = peak_start(peak);
        std::vector<SignalValue> engines;
        source.for_each_part([&](MetricId metric) {
            for (const Series& series : series_of(view_, metric)) {
                // An engine that ended while its process lives does not count.
                if (series.has_ended && !view_.has_ended)
                    continue;
                SignalValue value = peak_of(series, start, now_);
                value.window = peak_length(start);
                if (source.times && !multiply(value, series, *source.times))
                    continue;
                // Each engine by itself, because a sum hides a negative part.
                if (computation_of(signal) != Computation::presence) {
                    refuse_implausible(value, info_of(signal).highest / source.scale);
                    if (is_of_several_ && value.reason == ReadingReason::none)
                        value.reason = ReadingReason::inconsistent;
                }
                engines.push_back(value);
            }
        });
        return combine(engines, signal);
    }

    /// Multiplies the last sample of a gauge by that of another metric of the same engine. False if
    /// the engine has none.
    bool multiply(SignalValue& value, const Series& series, MetricId by) const {
        const auto all = series_of(view_, by);
        const auto other =
            std::ranges::lower_bound(all, series.server_labels, {}, &Series::server_labels);
        if (other == all.end() || other->server_labels != series.server_labels)
            return false;
        value.value *= other->last().value;
        value.latest *= other->last().value;
        value.time = std::min(value.time, other->last().time);
        value.latest_at = std::min(value.latest_at, other->last().time);
        return true;
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
    bool is_of_several_;
};

/// What one view of a process says of one signal. Windows end at `now`, on the clock of the server.
/// A caller that needs several signals of a view keeps a `ViewMeasurer`.
inline SignalValue measure(const View& view, Signal signal, const MetricSet& metrics,
                           ServerTime now, const SampleRules& rules) {
    return ViewMeasurer(view, metrics, now, rules).measure(signal);
}

} // namespace wva_metrics::samples
