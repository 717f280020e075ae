// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/detail/gauge_reading.hpp"
#include "wva_metrics/backend/detail/signal_metrics.hpp"
#include "wva_metrics/backend/detail/signal_total.hpp"
#include "wva_metrics/reading.hpp"
#include "wva_metrics/samples/pod_report.hpp"
#include "wva_metrics/samples/signal_value.hpp"
#include "wva_metrics/signal.hpp"

#include <algorithm>

namespace wva_metrics::detail {

/// The requests that several pods have finished. It is 0 only if each of them says so: a decision
/// to scale to zero may rest on it.
class RequestTotal {
public:
    void add(const samples::PodReport& pod) {
        const samples::SignalValue value =
            pod.requests ? *pod.requests : value_without_samples(pod);
        if (value.reason != ReadingReason::none) {
            if (doubt_.reason == ReadingReason::none)
                doubt_ = value;
            return;
        }
        if (total_.reason != ReadingReason::none) {
            total_ = value;
            return;
        }
        total_.value += value.value;
        total_.time = std::max(total_.time, value.time);
        // Of all of them nothing longer is known.
        total_.window = std::min(total_.window, value.window);
        total_.spacing = std::max(total_.spacing, value.spacing);
        total_.alias = std::min(total_.alias, value.alias);
    }

    /// `doubt` is another reason for which requests may be missing; `none` if there is none. A
    /// number above 0 is then a lower bound.
    Reading<double> reading(ReadingReason doubt, const SignalMetrics& metrics,
                            const ServerClock& clock) const {
        samples::SignalValue missing = doubt_;
        if (missing.reason == ReadingReason::none)
            missing.reason = doubt;
        if (missing.reason == ReadingReason::none)
            missing.reason = total_.reason; // No pod at all: nobody knows.
        const bool has_value = total_.reason == ReadingReason::none;
        const bool is_certain = missing.reason == ReadingReason::none;
        if (!has_value || (total_.value == 0 && !is_certain))
            return without_value(missing, Statistic::count,
                                 metrics.name(Signal::arrival_rate, missing.alias), clock);
        ReadingDetails<double> details = details_of(total_, Statistic::count, clock);
        details.is_lower_bound = !is_certain;
        return Reading<double>::measured(total_.value, clock.local(total_.time),
                                         metrics.name(Signal::arrival_rate, total_.alias), details);
    }

private:
    samples::SignalValue total_{};
    /// Of the pods without a value, the first; `none` if there is no such pod.
    samples::SignalValue doubt_{.reason = ReadingReason::none};
};

} // namespace wva_metrics::detail
