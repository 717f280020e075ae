// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/testing/detail/promql/label_set.hpp"
#include "wva_metrics/testing/detail/promql/series_store.hpp"

#include <string>
#include <variant>
#include <vector>

namespace wva_metrics::testing {

/// A series' value at the time of a query.
struct VectorSample {
    /// What names the series.
    LabelSet labels;
    /// The number, which may be NaN.
    double value = 0;
    /// When it was measured, for `timestamp()`.
    Milliseconds sampled_at = 0;
};
/// Series with one sample each.
using InstantVector = std::vector<VectorSample>;

/// A series' samples in a window of time, without stale ones; never empty.
struct RangeSeries {
    /// What names the series.
    LabelSet labels;
    /// In the order of their times.
    std::vector<Sample> samples;
};
/// Series with a run of samples each.
using RangeVector = std::vector<RangeSeries>;

/// What an expression evaluates to: a scalar, a string, or one of the two vectors.
using PromqlValue = std::variant<double, std::string, InstantVector, RangeVector>;

} // namespace wva_metrics::testing
