// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/testing/detail/promql/label_set.hpp"
#include "wva_metrics/testing/detail/promql/series_store.hpp"

#include <string>
#include <variant>
#include <vector>

namespace wva_metrics::testing::detail {

/// The value of a series at the time of a query.
struct VectorSample {
    /// The identity of the series.
    LabelSet labels;
    /// The number, which may be NaN.
    double value = 0;
    /// The time of the sample, for `timestamp()`.
    Milliseconds sampled_at = 0;
};
/// Series with one sample each.
using InstantVector = std::vector<VectorSample>;

/// The samples of a series in a window, without stale markers; never empty.
struct RangeSeries {
    /// The identity of the series.
    LabelSet labels;
    /// Sorted by time.
    std::vector<Sample> samples;
};
/// Series with several samples each.
using RangeVector = std::vector<RangeSeries>;

/// The value of an expression: a scalar, a string, or one of the two vectors.
using PromqlValue = std::variant<double, std::string, InstantVector, RangeVector>;

} // namespace wva_metrics::testing::detail
