// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/reading.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <utility>
#include <vector>

namespace wva_metrics::samples {

/// A quantile, as `histogram_quantile` of Prometheus 3 computes it.
struct QuantileValue {
    /// Exactly that of Prometheus, which may be NaN or an infinity.
    double value = std::numeric_limits<double>::quiet_NaN();
    /// `none` if the value is finite. `no_series`: there are fewer than two buckets, or none of +Inf.
    /// `no_requests`: there are no observations. `not_finite`: a count or the wanted quantile is not a
    /// number, or the quantile is not from 0 to 1.
    ReadingReason reason = ReadingReason::no_series;

    /// A value that Prometheus computes, which has the reason `not_finite` if it is not finite.
    static QuantileValue of(double value) noexcept {
        return {value, std::isfinite(value) ? ReadingReason::none : ReadingReason::not_finite};
    }
    /// No value, for a reason.
    static QuantileValue none(ReadingReason reason) noexcept {
        return {std::numeric_limits<double>::quiet_NaN(), reason};
    }
};

/// A bucket of a classic histogram: all observations up to its bound, also those of lower buckets.
struct ClassicBucket {
    double upper_bound = 0; ///< The label `le`.
    double count = 0;       ///< A count, or a rate.

    friend bool operator==(const ClassicBucket&, const ClassicBucket&) = default;
};

namespace detail {

/// True if the difference says nothing: it is an error of rounding. The relative difference and its
/// limit are Prometheus' own.
inline bool differs_by_rounding(double a, double b) noexcept {
    constexpr double tolerance = 1e-12;
    constexpr double smallest = std::numeric_limits<double>::min();
    const double size = std::abs(a) + std::abs(b);
    const double difference = std::abs(a - b);
    if (a == 0 || b == 0 || size < smallest)
        return difference < tolerance * smallest;
    return difference / std::min(size, std::numeric_limits<double>::max()) < tolerance;
}

} // namespace detail

/// The buckets of a classic histogram, put in order as Prometheus does it: sorted, those with one bound
/// added up, a difference by rounding removed, and a count that is lower than that of a lower bucket
/// lifted to it. A bucket whose bound is not a number is left out.
class ClassicHistogram {
public:
    /// Takes the buckets in any order.
    explicit ClassicHistogram(std::vector<ClassicBucket> buckets) : buckets_(std::move(buckets)) {
        std::erase_if(buckets_,
                      [](const ClassicBucket& one) { return std::isnan(one.upper_bound); });
        // Counts of one bound are added in the order in which they came, because it may matter.
        std::ranges::stable_sort(buckets_, {}, &ClassicBucket::upper_bound);
        std::size_t kept = 0;
        for (std::size_t i = 0; i < buckets_.size(); ++i) {
            if (std::isnan(buckets_[i].count))
                has_nan_ = true;
            if (kept > 0 && buckets_[kept - 1].upper_bound == buckets_[i].upper_bound)
                buckets_[kept - 1].count += buckets_[i].count;
            else
                buckets_[kept++] = buckets_[i];
        }
        buckets_.resize(kept);
        for (std::size_t i = 1; i < buckets_.size(); ++i) {
            const double before = buckets_[i - 1].count;
            double& count = buckets_[i].count;
            if (count != before && (count < before || detail::differs_by_rounding(before, count)))
                count = before;
        }
    }

    /// In ascending order, each bound once.
    std::span<const ClassicBucket> buckets() const noexcept { return buckets_; }

    /// The value below which a share `q` of the observations lies, by linear interpolation within a
    /// bucket. The lowest bucket begins at 0 if its bound is above 0. In the last bucket, that of +Inf,
    /// the value is the bound before it.
    QuantileValue quantile(double q) const noexcept {
        if (std::isnan(q) || has_nan_)
            return QuantileValue::none(ReadingReason::not_finite);
        constexpr double infinity = std::numeric_limits<double>::infinity();
        if (q < 0 || q > 1)
            return QuantileValue::of(q < 0 ? -infinity : infinity);
        if (buckets_.size() < 2 || buckets_.back().upper_bound != infinity)
            return QuantileValue::none(ReadingReason::no_series);
        const double observations = buckets_.back().count;
        if (observations == 0)
            return QuantileValue::none(ReadingReason::no_requests);
        const double rank = q * observations;
        const std::size_t last = buckets_.size() - 1;
        std::size_t at = 0;
        while (at < last && !(buckets_[at].count >= rank))
            ++at;
        if (at == last)
            return QuantileValue::of(buckets_[last - 1].upper_bound);
        const ClassicBucket& found = buckets_[at];
        if (at == 0) {
            if (found.upper_bound <= 0)
                return QuantileValue::of(found.upper_bound);
            return QuantileValue::of(found.upper_bound * (rank / found.count));
        }
        const ClassicBucket& below = buckets_[at - 1];
        const double width = found.upper_bound - below.upper_bound;
        const double share = (rank - below.count) / (found.count - below.count);
        return QuantileValue::of(below.upper_bound + width * share);
    }

private:
    std::vector<ClassicBucket> buckets_;
    bool has_nan_ = false;
};

} // namespace wva_metrics::samples
