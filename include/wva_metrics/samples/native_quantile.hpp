// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/exposition/native_histogram.hpp"
#include "wva_metrics/reading.hpp"
#include "wva_metrics/samples/histogram_quantile.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace wva_metrics::samples {

using exposition::NativeBuckets;
using exposition::NativeHistogram;

/// A bucket of a native histogram with its bounds.
struct NativeBucket {
    double lower = 0; ///< May be minus infinity.
    double upper = 0; ///< May be infinity.
    double count = 0; ///< The observations in it alone.

    friend bool operator==(const NativeBucket&, const NativeBucket&) = default;
};

/// All buckets in ascending order, that of zero among them if it is not empty. A bucket that reaches
/// into the zero bucket begins at its edge. The histogram is valid (`exposition::find_problem`).
inline std::vector<NativeBucket> list_buckets(const NativeHistogram& histogram) {
    std::vector<NativeBucket> all;
    all.reserve(histogram.negative.counts.size() + histogram.positive.counts.size() + 1);
    constexpr double infinity = std::numeric_limits<double>::infinity();
    if (histogram.has_custom_bounds()) {
        const std::vector<double>& bounds = histogram.custom_values;
        histogram.positive.each([&](std::int64_t index, double count) {
            const auto at = static_cast<std::size_t>(index);
            NativeBucket bucket{-infinity, infinity, count};
            if (at > 0)
                bucket.lower = bounds[at - 1];
            if (at < bounds.size())
                bucket.upper = bounds[at];
            all.push_back(bucket);
        });
        return all;
    }
    const double edge = histogram.zero_threshold;
    const int schema = histogram.schema;
    const auto lower_bound = [&](std::int64_t index) {
        const double lower = exposition::native_bound(index - 1, schema);
        return lower > 0 && lower < edge ? edge : lower;
    };
    histogram.negative.each([&](std::int64_t index, double count) {
        all.push_back({-exposition::native_bound(index, schema), -lower_bound(index), count});
    });
    std::ranges::reverse(all);
    if (histogram.zero_count > 0)
        all.push_back({-edge, edge, histogram.zero_count});
    histogram.positive.each([&](std::int64_t index, double count) {
        all.push_back({lower_bound(index), exposition::native_bound(index, schema), count});
    });
    return all;
}

namespace detail {

/// Where in a bucket a share of its observations ends.
inline double interpolate(const NativeBucket& bucket, double share, bool is_linear) noexcept {
    if (is_linear || (bucket.lower <= 0 && bucket.upper >= 0))
        return bucket.lower + (bucket.upper - bucket.lower) * share;
    // As if a finer histogram had its buckets filled evenly.
    const double lower = std::log2(std::abs(bucket.lower));
    const double upper = std::log2(std::abs(bucket.upper));
    if (bucket.lower > 0)
        return std::exp2(lower + (upper - lower) * share);
    return -std::exp2(upper + (lower - upper) * (1 - share));
}

} // namespace detail

/// The value below which a share `q` of the observations lies, exactly as `histogram_quantile` of
/// Prometheus 3 computes it of a native histogram: by exponential interpolation within a bucket, linear
/// in that of zero and with custom bounds. A zero bucket without negative buckets begins at 0.
/// Observations that are NaN count as if they were above all others: a quantile among them is none.
///
/// The histogram is valid (`exposition::find_problem`), or a rate or a sum of valid ones.
inline QuantileValue native_quantile(const NativeHistogram& histogram, double q) {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    if (q < 0 || q > 1)
        return QuantileValue::of(q < 0 ? -infinity : infinity);
    if (std::isnan(q) || std::isnan(histogram.count))
        return QuantileValue::none(ReadingReason::not_finite);
    if (histogram.count == 0)
        return QuantileValue::none(ReadingReason::no_requests);

    std::vector<NativeBucket> buckets = list_buckets(histogram);
    // From the nearer end, because errors of rounding are smaller there; but NaN are at no end.
    const bool is_forward = std::isnan(histogram.sum) || q < 0.5;
    double rank = (is_forward ? q : 1 - q) * histogram.count;
    if (!is_forward)
        std::ranges::reverse(buckets);
    NativeBucket found;
    double count = 0;
    for (const NativeBucket& bucket : buckets) {
        found = bucket;
        if (bucket.count == 0)
            continue;
        count += bucket.count;
        if (count >= rank)
            break;
    }
    if (histogram.has_custom_bounds()) {
        if (found.lower == -infinity) {
            if (found.upper <= 0)
                return QuantileValue::of(found.upper);
            found.lower = 0;
        } else if (found.upper == infinity) {
            return QuantileValue::of(found.lower);
        }
    } else if (found.lower < 0 && found.upper > 0) {
        if (histogram.negative.empty() && !histogram.positive.empty())
            found.lower = 0;
        else if (histogram.positive.empty() && !histogram.negative.empty())
            found.upper = 0;
    }
    count = std::min(count, histogram.count);
    // Only NaN observations are above all buckets; else it is an error of rounding.
    if (count < rank)
        return std::isnan(histogram.sum) ? QuantileValue::none(ReadingReason::not_finite)
                                         : QuantileValue::of(found.upper);
    rank = is_forward ? rank - (count - found.count) : count - rank;
    return QuantileValue::of(
        detail::interpolate(found, rank / found.count, histogram.has_custom_bounds()));
}

} // namespace wva_metrics::samples
