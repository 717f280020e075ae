// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/reading.hpp"
#include "wva_metrics/samples/sample.hpp"

#include <cstddef>

namespace wva_metrics::samples {

/// What was measured of one signal: in one process, or in all processes of one pod.
struct SignalValue {
    /// Why there is no value; `none` if there is one.
    ReadingReason reason = ReadingReason::no_series;
    /// A gauge's peak in the window. A counter's increase per second. For an average, the increase
    /// of `_sum` per second: an average is `value / weight`, also after both were added up.
    double value = 0;
    /// For an average, the increase of `_count` per second; zero if no request was counted. Else 1.
    double weight = 1;
    /// A gauge's last sample. Else 0.
    double latest = 0;
    /// When the sample was scraped that holds the value. A rate is as old as the newest sample that
    /// it counts; a sum of gauges as the oldest. Without a value, the newest sample of the signal.
    ServerTime time{};
    /// When `latest` was scraped; see `time`.
    ServerTime latest_at{};
    /// Over how long it was measured. It may be longer than configured, where scrapes are rare, or
    /// shorter, where the samples do not reach back so far. 0 = the last sample only.
    ServerDuration window{};
    /// The time between two scrapes; 0 if it is not known.
    ServerDuration spacing{};
    /// The name that was used: its index in `MetricSet::sources`.
    std::size_t alias = 0;

    friend bool operator==(const SignalValue&, const SignalValue&) = default;
};

} // namespace wva_metrics::samples
