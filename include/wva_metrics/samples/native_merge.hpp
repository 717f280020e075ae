// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/exposition/native_histogram.hpp"
#include "wva_metrics/samples/native_quantile.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <utility>
#include <vector>

// Arithmetic of native histograms, as in Prometheus (model/histogram/float_histogram.go). Histograms of
// different schemas meet in the coarser one, which loses resolution but no observation. Prometheus 3.5
// counts some observations twice if the zero buckets differ too, and the wider one ends within a bucket
// of the coarser schema; this does not.

namespace wva_metrics::samples {

namespace detail {

/// Buckets by index, ascending, each once.
using IndexedBuckets = std::vector<std::pair<std::int64_t, double>>;

/// Adds a bucket to those of a schema that is coarser by `steps`. It comes after them, or belongs to
/// the last of them.
inline void add_coarse(IndexedBuckets& to, std::int64_t index, double count, int steps) {
    // The upper bound of the bucket stays within the coarser one.
    const std::int64_t coarse = steps == 0 ? index : ((index - 1) >> steps) + 1;
    if (!to.empty() && to.back().first == coarse)
        to.back().second += count;
    else
        to.emplace_back(coarse, count);
}

/// The buckets in a schema that is coarser by `steps`: each merges 2^steps neighbours.
inline IndexedBuckets index_buckets(const NativeBuckets& buckets, int steps) {
    IndexedBuckets indexed;
    buckets.each(
        [&](std::int64_t index, double count) { add_coarse(indexed, index, count, steps); });
    return indexed;
}

/// `indexed`: `IndexedBuckets`, or a map with the same pairs.
template <typename Indexed>
NativeBuckets to_spans(const Indexed& indexed) {
    NativeBuckets buckets;
    std::int64_t next = 0;
    for (const auto& [index, count] : indexed) {
        if (buckets.spans.empty() || index != next)
            buckets.spans.push_back({static_cast<std::int32_t>(index - next), 0});
        ++buckets.spans.back().length;
        buckets.counts.push_back(count);
        next = index + 1;
    }
    return buckets;
}

/// Adds `factor` times the buckets of `other`. Keeps no bucket without observations: whether there are
/// buckets below zero decides where a zero bucket begins.
inline IndexedBuckets add_buckets(const IndexedBuckets& one, const IndexedBuckets& other,
                                  double factor) {
    IndexedBuckets sum;
    sum.reserve(one.size() + other.size());
    auto a = one.begin();
    auto b = other.begin();
    while (a != one.end() || b != other.end()) {
        if (b == other.end() || (a != one.end() && a->first < b->first)) {
            sum.push_back(*a++);
        } else if (a == one.end() || b->first < a->first) {
            sum.emplace_back(b->first, factor * b->second);
            ++b;
        } else {
            sum.emplace_back(a->first, a->second + factor * b->second);
            ++a;
            ++b;
        }
    }
    std::erase_if(sum, [](const auto& bucket) { return bucket.second == 0; });
    return sum;
}

/// The buckets in a schema that is coarser by `steps`, as `index_buckets` has them.
inline void reduce_buckets(IndexedBuckets& buckets, int steps) {
    if (steps == 0)
        return;
    IndexedBuckets reduced;
    for (const auto& [index, count] : buckets)
        add_coarse(reduced, index, count, steps);
    buckets = std::move(reduced);
}

/// True if a bound is above another. Servers compute bounds, and so the width of their zero bucket,
/// with different errors of rounding; neighbouring bounds differ by more than 0.2 %.
inline bool is_above(double bound, double other) noexcept {
    constexpr double rounding = 1e-12;
    return bound * (1 - rounding) > other;
}

/// A histogram whose buckets can be changed by index.
struct IndexedHistogram {
    int schema = 0;
    double zero_threshold = 0;
    double zero_count = 0;
    IndexedBuckets positive{};
    IndexedBuckets negative{};

    explicit IndexedHistogram(const NativeHistogram& histogram)
        : schema(histogram.schema), zero_threshold(histogram.zero_threshold),
          zero_count(histogram.zero_count), positive(index_buckets(histogram.positive, 0)),
          negative(index_buckets(histogram.negative, 0)) {}

    /// Widens the zero bucket. A bucket with observations that the edge would cut in two is taken
    /// whole, and so the zero bucket may become wider than wanted.
    void widen(double threshold) {
        while (threshold > zero_threshold) {
            double reached = threshold;
            for (IndexedBuckets* buckets : {&positive, &negative}) {
                auto bucket = buckets->begin();
                for (; bucket != buckets->end(); ++bucket) {
                    if (!is_above(threshold, exposition::native_bound(bucket->first - 1, schema)))
                        break;
                    const double upper = exposition::native_bound(bucket->first, schema);
                    if (bucket->second != 0 && is_above(upper, threshold))
                        reached = std::max(reached, upper);
                    zero_count += bucket->second;
                }
                buckets->erase(buckets->begin(), bucket);
            }
            zero_threshold = threshold;
            threshold = reached;
        }
    }

    /// Makes the buckets those of a coarser schema.
    void reduce(int coarse_schema) {
        reduce_buckets(positive, schema - coarse_schema);
        reduce_buckets(negative, schema - coarse_schema);
        schema = coarse_schema;
    }
};

/// Makes the zero buckets of both equally wide.
inline void align_zero_buckets(IndexedHistogram& one, IndexedHistogram& other) {
    while (one.zero_threshold != other.zero_threshold) {
        one.widen(other.zero_threshold);
        other.widen(one.zero_threshold);
    }
}

} // namespace detail

/// True if the histograms can be added: both have a schema, or both the same bounds of their own.
inline bool can_add(const NativeHistogram& one, const NativeHistogram& other) noexcept {
    if (one.has_custom_bounds() != other.has_custom_bounds())
        return false;
    return !one.has_custom_bounds() || one.custom_values == other.custom_values;
}

/// Adds `factor` times `other`, bucket by bucket; -1 subtracts it. `can_add` is true.
inline void add_native(NativeHistogram& into, const NativeHistogram& other, double factor = 1) {
    detail::IndexedHistogram one(into);
    detail::IndexedHistogram two(other);
    // Before their resolution falls: a coarser bucket may reach further into that of zero.
    detail::align_zero_buckets(one, two);
    into.schema = std::min(into.schema, other.schema);
    one.reduce(into.schema);
    two.reduce(into.schema);
    into.zero_threshold = one.zero_threshold;
    into.zero_count = one.zero_count + factor * two.zero_count;
    into.count += factor * other.count;
    into.sum += factor * other.sum;
    into.positive = detail::to_spans(detail::add_buckets(one.positive, two.positive, factor));
    into.negative = detail::to_spans(detail::add_buckets(one.negative, two.negative, factor));
}

/// The histogram with more bounds of its own. Nothing if one of them lies within a bucket that holds
/// observations.
inline std::optional<NativeHistogram> with_bounds(const NativeHistogram& histogram,
                                                  const std::vector<double>& bounds) {
    const auto place_of = [&bounds](double bound) {
        return std::ranges::lower_bound(bounds, bound) - bounds.begin();
    };
    detail::IndexedBuckets buckets;
    bool is_possible = true;
    const std::vector<double>& own = histogram.custom_values;
    histogram.positive.each([&](std::int64_t index, double count) {
        if (count == 0)
            return;
        const auto at = static_cast<std::size_t>(index);
        const std::int64_t first = at == 0 ? 0 : place_of(own[at - 1]) + 1;
        const std::int64_t place =
            at < own.size() ? place_of(own[at]) : static_cast<std::int64_t>(bounds.size());
        is_possible = is_possible && first == place;
        buckets.emplace_back(place, count);
    });
    if (!is_possible)
        return std::nullopt;
    NativeHistogram result = histogram;
    result.custom_values = bounds;
    result.positive = detail::to_spans(buckets);
    return result;
}

/// Adds another one, also if only one of them shows a bound of its own that both have: an answer of
/// Prometheus lists only buckets that hold observations. False, and nothing is added, if they have
/// different buckets.
inline bool add_listed(NativeHistogram& into, const NativeHistogram& other) {
    if (can_add(into, other)) {
        add_native(into, other);
        return true;
    }
    if (!into.has_custom_bounds() || !other.has_custom_bounds())
        return false;
    std::vector<double> bounds;
    std::ranges::set_union(into.custom_values, other.custom_values, std::back_inserter(bounds));
    std::optional<NativeHistogram> one = with_bounds(into, bounds);
    const std::optional<NativeHistogram> two = with_bounds(other, bounds);
    if (!one || !two)
        return false;
    into = *std::move(one);
    add_native(into, *two);
    return true;
}

/// The histogram in a coarser schema. One with bounds of its own stays as it is.
inline NativeHistogram reduce_native(const NativeHistogram& histogram, int schema) {
    if (histogram.has_custom_bounds() || schema >= histogram.schema)
        return histogram;
    NativeHistogram reduced = histogram;
    const int steps = histogram.schema - schema;
    reduced.schema = schema;
    reduced.positive = detail::to_spans(detail::index_buckets(histogram.positive, steps));
    reduced.negative = detail::to_spans(detail::index_buckets(histogram.negative, steps));
    return reduced;
}

/// Multiplies all counts and the sum.
inline void scale_native(NativeHistogram& histogram, double factor) noexcept {
    histogram.zero_count *= factor;
    histogram.count *= factor;
    histogram.sum *= factor;
    for (NativeBuckets* buckets : {&histogram.positive, &histogram.negative})
        for (double& count : buckets->counts)
            count *= factor;
}

} // namespace wva_metrics::samples
