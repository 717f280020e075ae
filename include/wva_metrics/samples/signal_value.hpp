// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/exposition/native_histogram.hpp"
#include "wva_metrics/reading.hpp"
#include "wva_metrics/samples/histogram_quantile.hpp"
#include "wva_metrics/samples/native_merge.hpp"
#include "wva_metrics/samples/native_quantile.hpp"
#include "wva_metrics/samples/sample.hpp"
#include "wva_metrics/signal.hpp"

#include <cstddef>
#include <optional>
#include <vector>

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

/// What was measured of an optional signal.
struct OptionalValue {
    Signal signal;       ///< The signal.
    SignalValue value{}; ///< Its value.
};

/// What was measured of the histogram of a signal.
struct HistogramValue {
    Signal signal; ///< The signal.
    /// Whether it is known, and over how long. `value` and `weight` are observations per second.
    SignalValue value{};
    /// Observations per second in each bucket, those of all engines and processes. A bound may be
    /// there several times. Empty if it is a native histogram.
    std::vector<ClassicBucket> buckets{};
    /// The same as a native histogram, if it is one.
    std::optional<exposition::NativeHistogram> native{};
    /// What a quantile of `native` is multiplied by: its bounds follow from its schema.
    double scale = 1;

    /// Adds the buckets of another. False, and nothing is added, if they are of another kind.
    bool add_buckets(const HistogramValue& other) {
        if (native && other.native)
            return scale == other.scale && add_listed(*native, *other.native);
        if (native || other.native)
            return false;
        buckets.insert(buckets.end(), other.buckets.begin(), other.buckets.end());
        return true;
    }
    /// The value that a share `q` of the observations does not exceed.
    QuantileValue quantile(double q) const {
        if (!native)
            return ClassicHistogram(buckets).quantile(q);
        QuantileValue found = native_quantile(*native, q);
        found.value *= scale;
        return found;
    }
};

} // namespace wva_metrics::samples
