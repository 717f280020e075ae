// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/detail/server_clock.hpp"
#include "wva_metrics/reading.hpp"
#include "wva_metrics/samples/signal_value.hpp"

#include <limits>

namespace wva_metrics::detail {

/// A time of no sample is empty.
inline std::optional<TimePoint> local_time(const ServerClock& clock, samples::ServerTime time) {
    return time == samples::ServerTime() ? std::nullopt : std::optional(clock.local(time));
}

/// What is known of a value besides its number.
inline ReadingDetails<double> details_of(const samples::SignalValue& value, Statistic statistic,
                                         const ServerClock& clock) {
    ReadingDetails<double> details;
    details.statistic = statistic;
    details.window = value.window;
    details.spacing = value.spacing;
    details.last_sample_at = local_time(clock, value.time);
    return details;
}

/// A reading without a value. The value of a server that is not a number makes it `invalid`.
inline Reading<double> without_value(const samples::SignalValue& value, Statistic statistic,
                                     MetricName metric, const ServerClock& clock) {
    const ReadingDetails<double> details = details_of(value, statistic, clock);
    if (value.reason == ReadingReason::not_finite)
        return Reading<double>::measured(std::numeric_limits<double>::quiet_NaN(),
                                         clock.local(value.time), metric, details);
    return Reading<double>::missing(value.reason, metric, details);
}

/// A gauge of one pod.
inline Reading<double> gauge_reading(const samples::SignalValue& value, MetricName metric,
                                     const ServerClock& clock) {
    const Statistic statistic =
        value.window == samples::ServerDuration::zero() ? Statistic::last_sample : Statistic::peak;
    if (value.reason != ReadingReason::none)
        return without_value(value, statistic, metric, clock);
    ReadingDetails<double> details = details_of(value, statistic, clock);
    details.latest = value.latest;
    details.last_sample_at = clock.local(value.latest_at);
    return Reading<double>::measured(value.value, clock.local(value.time), metric, details);
}

} // namespace wva_metrics::detail
