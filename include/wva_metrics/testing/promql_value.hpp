// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/testing/label_set.hpp"
#include "wva_metrics/testing/series_store.hpp"

#include <string>
#include <variant>
#include <vector>

namespace wva_metrics::testing {

/// A series' value at the time of a query.
struct VectorSample {
    LabelSet labels;
    double value = 0;
    /// When it was measured, for `timestamp()`.
    Milliseconds sampled_at = 0;
};
using InstantVector = std::vector<VectorSample>;

/// A series' samples in a window of time, without stale ones; never empty.
struct RangeSeries {
    LabelSet labels;
    std::vector<Sample> samples;
};
using RangeVector = std::vector<RangeSeries>;

/// What an expression evaluates to: a scalar, a string, or one of the two vectors.
using PromqlValue = std::variant<double, std::string, InstantVector, RangeVector>;

} // namespace wva_metrics::testing
