// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/reading.hpp"
#include "wva_metrics/samples/combine.hpp"
#include "wva_metrics/samples/counter.hpp"
#include "wva_metrics/samples/metric_set.hpp"
#include "wva_metrics/samples/rate_window.hpp"
#include "wva_metrics/samples/sample_rules.hpp"
#include "wva_metrics/samples/signal_value.hpp"
#include "wva_metrics/samples/view.hpp"
#include "wva_metrics/samples/window.hpp"
#include "wva_metrics/signal.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
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
    /// What the series of one counter add up to.
    struct Growth {
        ReadingReason reason = ReadingReason::no_series;
        double per_second = 0;
        ServerTime newest{};
    };

    std::span<const Series> series_of(MetricId metric) const noexcept {
        const auto found = std::ranges::equal_range(view_.series, metric, {}, &Series::metric);
        return {found.begin(), found.end()};
    }

    static bool is_living(std::span<const Series> series) noexcept {
        return !std::ranges::all_of(series, &Series::has_ended);
    }

    static ServerTime newest_of(std::span<const Series> series) noexcept {
        ServerTime newest{};
        for (const Series& one : series)
            newest = std::max(newest, one.last().time);
        return newest;
    }

    /// An engine that ended while its process lives.
    bool has_left(const Series& series) const noexcept {
        return series.has_ended && !view_.has_ended;
    }

    /// The time of the newest sample after the reset of any counter: the gauges before it are those
    /// of another process.
    std::optional<ServerTime> find_restart() const {
        std::optional<ServerTime> newest;
        for (const Series& series : view_.series) {
            if (!metrics_.is_counter(series.metric))
                continue;
            for (std::size_t i = series.samples.size(); i-- > 1;) {
                if (series.samples[i].value < series.samples[i - 1].value) {
                    newest = std::max(newest, std::optional(series.samples[i].time));
                    break;
                }
            }
        }
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

    SignalValue measure_rate(const SignalSource& source) const {
        const Growth growth = grow(source.metric);
        SignalValue result;
        result.reason = growth.reason;
        result.value = growth.per_second;
        result.time = growth.newest;
        result.window = rate_window_.length();
        return result;
    }

    SignalValue measure_average(const SignalSource& source) const {
        const Growth count = grow(source.metric);
        const Growth sum = grow(source.sum);
        SignalValue result;
        result.reason = count.reason != ReadingReason::none ? count.reason : sum.reason;
        result.value = sum.per_second;
        result.weight = count.per_second;
        result.time = std::max(count.newest, sum.newest);
        result.window = rate_window_.length();
        return result;
    }

    /// The sum of the rates of all series of a counter, also of those that ended in the window.
    Growth grow(MetricId metric) const {
        Growth total;
        if (rate_window_.reason != ReadingReason::none)
            return {rate_window_.reason, 0, newest_of(series_of(metric))};
        for (const Series& series : series_of(metric)) {
            const Growth part = grow(series);
            if (part.reason == ReadingReason::no_series)
                continue;
            if (part.reason == ReadingReason::none || part.reason == ReadingReason::warming_up) {
                if (total.reason != ReadingReason::none)
                    total.reason = part.reason;
                total.per_second += part.per_second;
                total.newest = std::max(total.newest, part.newest);
            } else {
                return part;
            }
        }
        if (!std::isfinite(total.per_second))
            total.reason = ReadingReason::not_finite;
        return total;
    }

    Growth grow(const Series& series) const {
        std::span<const Sample> inside =
            samples_within(series.samples, rate_window_.start, rate_window_.end);
        if (inside.empty())
            return {};
        const ServerTime newest = inside.back().time;
        if (!std::isfinite(inside.back().value))
            return {has_left(series) ? ReadingReason::no_series : ReadingReason::not_finite, 0,
                    newest};
        const std::vector<Sample> finite = finite_ones(inside);
        if (!finite.empty())
            inside = finite;
        if (count_resets(inside) > rules_.max_resets)
            return {ReadingReason::inconsistent, 0, newest};
        const std::optional<double> rate = rate_of(inside);
        return {rate ? ReadingReason::none : ReadingReason::warming_up, rate.value_or(0), newest};
    }

    /// The samples whose value is finite, if there is one that is not; else nothing.
    static std::vector<Sample> finite_ones(std::span<const Sample> samples) {
        std::vector<Sample> finite;
        const auto is_finite = [](const Sample& sample) { return std::isfinite(sample.value); };
        if (!std::ranges::all_of(samples, is_finite))
            std::ranges::copy_if(samples, std::back_inserter(finite), is_finite);
        return finite;
    }

    /// Per second of the window; if the view's samples do not reach back to its start, per second
    /// of what they cover, because the time before is unknown and not idle.
    std::optional<double> rate_of(std::span<const Sample> inside) const noexcept {
        if (!rate_window_.covered)
            return rate_per_second(inside, rate_window_.start, rate_window_.end);
        if (inside.size() < 2)
            return std::nullopt;
        return increase(inside) / std::chrono::duration<double>(*rate_window_.covered).count();
    }

    /// The peak and the last sample of a gauge, of all engines that live. `peak` is the window; 0
    /// stands for the last sample.
    SignalValue measure_gauge(Signal signal, MetricId metric, ServerDuration peak) const {
        std::vector<SignalValue> engines;
        for (const Series& series : series_of(metric))
            if (!has_left(series))
                engines.push_back(measure_engine(series, peak));
        return combine(engines, signal);
    }

    SignalValue measure_engine(const Series& series, ServerDuration peak) const {
        SignalValue result;
        result.reason = ReadingReason::none;
        result.latest = result.value = series.last().value;
        result.latest_at = result.time = series.last().time;
        if (!std::isfinite(result.latest)) {
            result.reason = ReadingReason::not_finite;
            return result;
        }
        const auto inside = samples_within(series.samples, now_ - peak, now_);
        for (const Sample& sample : inside) {
            const bool is_own = !restarted_ || sample.time >= *restarted_;
            if (is_own && std::isfinite(sample.value) && sample.value >= result.value &&
                (sample.value > result.value || sample.time > result.time)) {
                result.value = sample.value;
                result.time = sample.time;
            }
        }
        result.window = peak_window(inside, peak);
        return result;
    }

    /// Over how long a peak was looked for: the whole window, if the view's samples reach back to
    /// its start; not before a restart.
    ServerDuration peak_window(std::span<const Sample> inside, ServerDuration peak) const {
        if (inside.empty() || peak == ServerDuration::zero())
            return ServerDuration::zero();
        const auto times = times_within(view_.times, now_ - peak, now_);
        const bool is_covered =
            times.size() >= 2
                ? spread_of(times.front(), times.back(), times.size(), now_ - peak, now_)
                      .reaches_start()
                : spacing_ && times.front() - (now_ - peak) < *spacing_ * 1.1;
        ServerDuration window = is_covered ? peak : now_ - times.front();
        if (restarted_)
            window = std::min(window, now_ - *restarted_);
        return std::max(window, ServerDuration::zero());
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
