// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/reading.hpp"
#include "wva_metrics/samples/combine.hpp"
#include "wva_metrics/samples/liveness.hpp"
#include "wva_metrics/samples/measure.hpp"
#include "wva_metrics/samples/metric_set.hpp"
#include "wva_metrics/samples/request_count.hpp"
#include "wva_metrics/samples/sample.hpp"
#include "wva_metrics/samples/sample_rules.hpp"
#include "wva_metrics/samples/signal_value.hpp"
#include "wva_metrics/samples/view.hpp"
#include "wva_metrics/signal.hpp"

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

// One pod's processes, those that live and those that are lost.

namespace wva_metrics::samples::detail {

/// One process: measured by the copy that was chosen, and where that has no such metric by another
/// one. Two scrapers may each drop what the other keeps.
class ProcessMeasurer {
public:
    /// Whichever of the copies is lost unlike the chosen one says nothing.
    ProcessMeasurer(const View& chosen, std::span<const View* const> copies,
                    const MetricSet& metrics, ServerTime now, const SampleRules& rules)
        : metrics_(metrics), now_(now), rules_(rules), chosen_(chosen, metrics, now, rules) {
        const bool is_chosen_lost = is_lost(chosen, now, rules);
        for (const View* copy : copies)
            if (copy != &chosen && is_lost(*copy, now, rules) == is_chosen_lost &&
                has_more_metrics(*copy, chosen))
                others_.emplace_back(*copy, metrics, now, rules);
    }

    /// See `ViewMeasurer::measure`.
    SignalValue measure(Signal signal) const {
        return first_of<SignalValue>(
            [signal](const ViewMeasurer& view) { return view.measure(signal); });
    }
    /// See `ViewMeasurer::measure_histogram`.
    HistogramValue measure_histogram(Signal signal) const {
        return first_of<HistogramValue>(
            [signal](const ViewMeasurer& view) { return view.measure_histogram(signal); });
    }
    /// See `samples::count_requests`.
    SignalValue count_requests() const {
        return first_of<SignalValue>([this](const ViewMeasurer& view) {
            return samples::count_requests(view.view(), metrics_, now_, rules_);
        });
    }

private:
    /// True if a view has a metric that the other lacks.
    static bool has_more_metrics(const View& view, const View& other) {
        return std::ranges::any_of(view.series, [&other](const Series& series) {
            return series_of(other, series.metric).empty();
        });
    }
    static bool is_without_series(const SignalValue& value) noexcept {
        return value.reason == ReadingReason::no_series;
    }
    static bool is_without_series(const HistogramValue& value) noexcept {
        return is_without_series(value.value);
    }

    template <typename Value, typename Measure>
    Value first_of(Measure measure) const {
        Value value = measure(chosen_);
        for (const ViewMeasurer& other : others_) {
            if (!is_without_series(value))
                break;
            Value more = measure(other);
            if (!is_without_series(more))
                value = std::move(more);
        }
        return value;
    }

    const MetricSet& metrics_;
    ServerTime now_;
    const SampleRules& rules_;
    ViewMeasurer chosen_;
    std::vector<ViewMeasurer> others_;
};

/// A gauge is measured by what lives. A request that was served in the window counts, also if
/// the process that served it has ended.
inline std::vector<SignalValue> measure_each(std::span<const ProcessMeasurer> living,
                                             std::span<const ProcessMeasurer> lost, Signal signal) {
    std::vector<SignalValue> values;
    for (const ProcessMeasurer& process : living)
        values.push_back(process.measure(signal));
    const bool is_rate = is_growth(computation_of(signal));
    for (const ProcessMeasurer& process : lost) {
        if (!living.empty() && !is_rate)
            break;
        const SignalValue value = process.measure(signal);
        if (living.empty() || value.reason == ReadingReason::none)
            values.push_back(value);
    }
    return values;
}

/// The buckets of all processes. What is unknown of one is unknown of the pod, and so is the whole if
/// they are of several kinds.
inline HistogramValue measure_histogram(std::span<const ProcessMeasurer> living,
                                        std::span<const ProcessMeasurer> lost, Signal signal) {
    HistogramValue whole{signal};
    std::vector<SignalValue> values;
    bool has_buckets = false;
    bool is_mixed = false;
    const auto add = [&](const ProcessMeasurer& process, bool is_living) {
        HistogramValue part = process.measure_histogram(signal);
        if (!is_living && !living.empty() && part.value.reason != ReadingReason::none)
            return;
        values.push_back(part.value);
        if (part.value.reason != ReadingReason::none)
            return;
        if (!std::exchange(has_buckets, true))
            whole = std::move(part);
        else if (!whole.add_buckets(part))
            is_mixed = true;
    };
    for (const ProcessMeasurer& process : living)
        add(process, true);
    for (const ProcessMeasurer& process : lost)
        add(process, false);
    // All histograms are added up in the same way.
    whole.value = combine(values, Signal::e2e_latency);
    if (whole.value.reason == ReadingReason::none && is_mixed)
        whole.value.reason = ReadingReason::inconsistent;
    if (whole.value.reason != ReadingReason::none) {
        whole.buckets.clear();
        whole.native.reset();
    }
    return whole;
}

} // namespace wva_metrics::samples::detail
