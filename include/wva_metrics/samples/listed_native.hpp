// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/exposition/native_histogram.hpp"
#include "wva_metrics/samples/native_merge.hpp"
#include "wva_metrics/samples/packed_native.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <utility>
#include <vector>

// Native histograms as Prometheus answers with them: the bounds of the buckets that hold observations,
// without a schema.

namespace wva_metrics::samples {

/// A bucket with its bounds.
struct ListedBucket {
    double lower = 0; ///< May be minus infinity.
    double upper = 0; ///< May be infinity.
    double count = 0; ///< The observations in it alone.
    /// Both bounds are part of it: it is the zero bucket, or the lowest of those with bounds of their
    /// own.
    bool has_both_bounds = false;

    friend bool operator==(const ListedBucket&, const ListedBucket&) = default;
};

/// One sample of a histogram whose buckets are listed.
struct ListedNative {
    double count = 0;                        ///< All observations.
    double sum = 0;                          ///< Their sum.
    std::span<const ListedBucket> buckets{}; ///< In ascending order.
};

namespace detail {

/// The schema in which these are neighbouring bounds above zero; nothing if there is none.
inline std::optional<int> schema_of_bounds(double lower, double upper) noexcept {
    if (!(lower > 0) || !(upper > lower) || std::isinf(upper))
        return std::nullopt;
    const double width = std::log2(upper) - std::log2(lower);
    const auto schema = static_cast<int>(std::lround(-std::log2(width)));
    if (schema < exposition::NativeHistogram::min_schema ||
        schema > exposition::NativeHistogram::max_schema)
        return std::nullopt;
    constexpr double rounding = 1e-6;
    const auto is_whole = [](double number) {
        return std::abs(number - std::round(number)) < rounding;
    };
    const double index = std::ldexp(std::log2(upper), schema);
    const bool is_one_wide = std::abs(std::ldexp(width, schema) - 1) < rounding;
    return is_one_wide && is_whole(index) ? std::optional(schema) : std::nullopt;
}

/// Tells by the bounds of all samples of one series what its buckets are.
class ListedSeries {
public:
    explicit ListedSeries(std::span<const ListedNative> samples) : samples_(samples) {}

    std::vector<PackedNative> pack() {
        for (const ListedNative& sample : samples_)
            look_at(sample);
        std::vector<PackedNative> packed;
        const bool has_own_bounds = !is_exponential_ || (has_cut_ && !is_certain_);
        if (!has_own_bounds && !is_certain_)
            return packed;
        settle_schemas();
        sort_bounds();
        for (std::size_t i = 0; i < samples_.size(); ++i) {
            const auto histogram =
                has_own_bounds ? with_own_bounds(samples_[i]) : exponential(samples_[i], known_[i]);
            if (!histogram || exposition::find_problem(*histogram))
                return {};
            packed.emplace_back(*histogram);
        }
        return packed;
    }

private:
    /// What one sample shows.
    struct Known {
        std::optional<int> schema{};
        std::optional<double> zero_threshold{};
    };

    static bool is_zero_bucket(const ListedBucket& bucket) noexcept {
        return bucket.has_both_bounds && !std::isinf(bucket.lower);
    }

    void look_at(const ListedNative& sample) {
        Known& known = known_.emplace_back();
        for (const ListedBucket& bucket : sample.buckets) {
            for (const double bound : {bucket.lower, bucket.upper})
                if (!std::isinf(bound))
                    own_bounds_.push_back(bound);
            if (is_zero_bucket(bucket)) {
                known.zero_threshold = bucket.upper;
                is_certain_ = true;
            }
        }
        for (std::size_t i = 0; i < sample.buckets.size(); ++i)
            look_at(sample.buckets, i, known);
    }

    void look_at(std::span<const ListedBucket> buckets, std::size_t at, Known& known) {
        const ListedBucket& bucket = buckets[at];
        if (is_zero_bucket(bucket))
            return;
        constexpr double largest = std::numeric_limits<double>::max();
        const bool is_negative = bucket.upper <= 0;
        const double inner = is_negative ? -bucket.upper : bucket.lower;
        const double outer = is_negative ? -bucket.lower : bucket.upper;
        if (std::isinf(outer) && inner == largest && !bucket.has_both_bounds)
            return; // The last bucket of every schema.
        if (const std::optional<int> schema = schema_of_bounds(inner, outer)) {
            is_certain_ = is_certain_ || *schema > 0;
            is_exponential_ = is_exponential_ && known.schema.value_or(*schema) == *schema;
            known.schema = schema;
            return;
        }
        // The zero bucket may reach into the one beside it.
        const bool is_innermost = is_negative
                                      ? at + 1 == buckets.size() || buckets[at + 1].upper >= 0
                                      : at == 0 || buckets[at - 1].lower < 0;
        const bool is_cut = is_innermost && inner > 0 && !std::isinf(outer) &&
                            known.zero_threshold.value_or(inner) == inner;
        has_cut_ = has_cut_ || is_cut;
        if (is_cut)
            known.zero_threshold = inner;
        else
            is_exponential_ = false;
    }

    /// What a sample does not show is as in the one before it, or else as in the next.
    void settle_schemas() {
        const auto pass_on = [](const Known& from, Known& to) {
            if (!to.schema)
                to.schema = from.schema;
            if (!to.zero_threshold)
                to.zero_threshold = from.zero_threshold;
        };
        for (std::size_t i = 1; i < known_.size(); ++i)
            pass_on(known_[i - 1], known_[i]);
        for (std::size_t i = known_.size(); i > 1; --i)
            pass_on(known_[i - 1], known_[i - 2]);
    }

    void sort_bounds() {
        std::ranges::sort(own_bounds_);
        own_bounds_.erase(std::unique(own_bounds_.begin(), own_bounds_.end()), own_bounds_.end());
    }

    static exposition::NativeHistogram empty_like(const ListedNative& sample) {
        exposition::NativeHistogram histogram;
        histogram.count = sample.count;
        histogram.sum = sample.sum;
        return histogram;
    }

    static std::optional<exposition::NativeHistogram> exponential(const ListedNative& sample,
                                                                  const Known& known) {
        exposition::NativeHistogram histogram = empty_like(sample);
        histogram.schema = known.schema.value_or(0);
        histogram.zero_threshold = known.zero_threshold.value_or(0);
        std::map<std::int64_t, double> positive;
        std::map<std::int64_t, double> negative;
        for (const ListedBucket& bucket : sample.buckets) {
            if (is_zero_bucket(bucket)) {
                histogram.zero_count = bucket.count;
                continue;
            }
            const bool is_negative = bucket.upper <= 0;
            const double inner = is_negative ? -bucket.upper : bucket.lower;
            const double outer = is_negative ? -bucket.lower : bucket.upper;
            // An empty zero bucket was narrower then than in another sample.
            histogram.zero_threshold = std::min(histogram.zero_threshold, inner);
            const double index = std::isinf(outer)
                                     ? std::ldexp(1024, histogram.schema) + 1
                                     : std::round(std::ldexp(std::log2(outer), histogram.schema));
            (is_negative ? negative : positive)[static_cast<std::int64_t>(index)] = bucket.count;
        }
        histogram.positive = to_spans(positive);
        histogram.negative = to_spans(negative);
        return histogram;
    }

    /// The place of a bound among all.
    std::size_t place_of(double bound) const noexcept {
        const auto found = std::ranges::lower_bound(own_bounds_, bound);
        return static_cast<std::size_t>(found - own_bounds_.begin());
    }

    /// Nothing if the bounds have changed, so that one lies within a bucket.
    std::optional<exposition::NativeHistogram> with_own_bounds(const ListedNative& sample) const {
        exposition::NativeHistogram histogram = empty_like(sample);
        histogram.schema = exposition::NativeHistogram::custom_schema;
        histogram.custom_values = own_bounds_;
        std::map<std::int64_t, double> counts;
        for (const ListedBucket& bucket : sample.buckets) {
            const std::size_t place = place_of(bucket.upper);
            const std::size_t first = std::isinf(bucket.lower) ? 0 : place_of(bucket.lower) + 1;
            if (first != place)
                return std::nullopt;
            counts[static_cast<std::int64_t>(place)] = bucket.count;
        }
        histogram.positive = to_spans(counts);
        return histogram;
    }

    std::span<const ListedNative> samples_;
    std::vector<Known> known_;
    std::vector<double> own_bounds_;
    /// All buckets are those of a schema.
    bool is_exponential_ = true;
    /// One seems to be cut by the zero bucket.
    bool has_cut_ = false;
    /// They can be nothing else. Powers of two may also be bounds that somebody has chosen.
    bool is_certain_ = false;
};

} // namespace detail

/// The histograms of all samples of one series. Those without a schema have the bounds that the samples
/// show as their own.
///
/// None if it cannot be told what the buckets are: if their bounds are those of a schema from -4 to 0
/// and might as well have been chosen, or if chosen bounds have changed.
inline std::vector<PackedNative> pack_listed(std::span<const ListedNative> samples) {
    return detail::ListedSeries(samples).pack();
}

} // namespace wva_metrics::samples
