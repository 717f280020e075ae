// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <vector>

namespace wva_metrics::exposition {

/// Consecutive buckets of a native histogram.
struct NativeSpan {
    /// Of the first span: the index of its first bucket. Of another: the empty buckets before it.
    std::int32_t offset = 0;
    std::uint32_t length = 0; ///< How many buckets.

    friend bool operator==(const NativeSpan&, const NativeSpan&) = default;
};

/// The buckets of one sign.
struct NativeBuckets {
    std::vector<NativeSpan> spans{}; ///< Where the buckets are.
    /// One number for each bucket of all spans: the observations in it, not cumulated.
    std::vector<double> counts{};

    /// True if there is no bucket. A span without a length is none.
    bool empty() const noexcept { return counts.empty(); }

    /// Calls `visit(std::int64_t index, double count)` for each bucket, in ascending order of index.
    template <typename Visit>
    void each(Visit&& visit) const {
        std::int64_t index = 0;
        std::size_t at = 0;
        for (const NativeSpan& span : spans) {
            index += span.offset;
            for (std::uint32_t i = 0; i < span.length && at < counts.size(); ++i)
                visit(index++, counts[at++]);
        }
    }

    friend bool operator==(const NativeBuckets&, const NativeBuckets&) = default;
};

/// A native histogram of Prometheus: its buckets follow from a schema. Positive bucket `i` holds the
/// observations in (b^(i-1), b^i] with b = 2^(2^-schema); the negative ones mirror it.
struct NativeHistogram {
    /// The schema of histograms with bounds of their own, `custom_values`.
    static constexpr int custom_schema = -53;
    static constexpr int min_schema = -4; ///< The coarsest schema: b = 65536.
    static constexpr int max_schema = 8;  ///< The finest schema: b = 1.0027.

    /// -4 to 8, or -53.
    int schema = 0;
    /// Observations from minus to plus this are in the bucket of zero.
    double zero_threshold = 0;
    /// The observations in it.
    double zero_count = 0;
    /// All observations, also those that are NaN and in no bucket.
    double count = 0;
    /// The sum of all observations. NaN if one is NaN.
    double sum = 0;
    NativeBuckets positive{}; ///< Buckets above zero; all of them with bounds of their own.
    NativeBuckets negative{}; ///< Buckets below zero.
    /// The upper bounds of the buckets 0, 1, ... of schema -53, without the last, +Inf.
    std::vector<double> custom_values{};

    /// True if the bounds are `custom_values`.
    bool has_custom_bounds() const noexcept { return schema == custom_schema; }

    friend bool operator==(const NativeHistogram&, const NativeHistogram&) = default;
};

/// The upper bound of the positive bucket `index` of a schema from -4 to 8. The largest finite number
/// is the bound of the last bucket before infinity, as in Prometheus.
inline double native_bound(std::int64_t index, int schema) noexcept {
    if (schema < 0) {
        const std::int64_t exponent = index * (std::int64_t{1} << -schema);
        if (exponent == 1024)
            return std::numeric_limits<double>::max();
        return std::ldexp(1.0, static_cast<int>(std::clamp<std::int64_t>(exponent, -2000, 2000)));
    }
    const std::int64_t parts = std::int64_t{1} << schema;
    const std::int64_t part = index & (parts - 1);
    const std::int64_t exponent = (index - part) / parts + 1;
    if (part == 0 && exponent == 1025)
        return std::numeric_limits<double>::max();
    const double fraction =
        part == 0 ? 0.5 : 0.5 * std::exp2(static_cast<double>(part) / static_cast<double>(parts));
    return std::ldexp(fraction, static_cast<int>(std::clamp<std::int64_t>(exponent, -2000, 2000)));
}

namespace detail {

/// The last bucket that a schema has: that of +Inf.
constexpr std::int64_t last_native_index(int schema) noexcept {
    return schema >= 0 ? (std::int64_t{1024} << schema) + 1 : (std::int64_t{1024} >> -schema) + 1;
}

constexpr std::optional<std::string_view> problem_of_buckets(const NativeBuckets& buckets,
                                                             std::int64_t first_index,
                                                             std::int64_t last_index,
                                                             bool may_be_negative) noexcept {
    std::uint64_t length = 0;
    std::int64_t index = 0;
    for (std::size_t i = 0; i < buckets.spans.size(); ++i) {
        const NativeSpan& span = buckets.spans[i];
        if (i > 0 && span.offset < 0)
            return "a span of a native histogram begins before the end of the span before it";
        length += span.length;
        index += span.offset;
        if (span.length > 0 && (index < first_index || index + span.length - 1 > last_index))
            return "a native histogram has a bucket that its schema does not have";
        index += span.length;
        // A long row of spans without a length must not overflow the index.
        if (index > last_index + 1)
            return "a native histogram has a bucket that its schema does not have";
    }
    if (length != buckets.counts.size())
        return "the spans of a native histogram do not have as many buckets as there are counts";
    for (const double count : buckets.counts)
        if (std::isnan(count) || (count < 0 && !may_be_negative))
            return "a bucket of a native histogram has a negative count, or one that is no number";
    return std::nullopt;
}

} // namespace detail

/// Why it is no valid native histogram; nothing if it is one. Only a gauge histogram may have
/// negative counts.
inline std::optional<std::string_view> find_problem(const NativeHistogram& histogram,
                                                    bool is_gauge = false) noexcept {
    const bool is_exponential = histogram.schema >= NativeHistogram::min_schema &&
                                histogram.schema <= NativeHistogram::max_schema;
    if (!is_exponential && !histogram.has_custom_bounds())
        return "a native histogram has a schema that is not from -4 to 8 and not -53";
    if (!(histogram.zero_threshold >= 0) || std::isinf(histogram.zero_threshold))
        return "the zero threshold of a native histogram is negative or not finite";
    for (const double count : {histogram.count, histogram.zero_count})
        if (std::isnan(count) || (count < 0 && !is_gauge))
            return "a native histogram has a negative count, or one that is no number";
    if (is_exponential) {
        if (!histogram.custom_values.empty())
            return "a native histogram has bounds of its own, but not the schema -53";
        const std::int64_t last = detail::last_native_index(histogram.schema);
        // Numbers below the smallest normal one have buckets too.
        for (const NativeBuckets* buckets : {&histogram.positive, &histogram.negative})
            if (const auto problem =
                    detail::problem_of_buckets(*buckets, -2 * last, last, is_gauge))
                return problem;
        return std::nullopt;
    }
    if (histogram.zero_count != 0 || histogram.zero_threshold != 0 || !histogram.negative.empty() ||
        !histogram.negative.spans.empty())
        return "a native histogram with bounds of its own has a zero bucket or negative buckets";
    for (std::size_t i = 0; i < histogram.custom_values.size(); ++i)
        if (!std::isfinite(histogram.custom_values[i]) ||
            (i > 0 && histogram.custom_values[i] <= histogram.custom_values[i - 1]))
            return "the own bounds of a native histogram are not finite or do not ascend";
    return detail::problem_of_buckets(
        histogram.positive, 0, static_cast<std::int64_t>(histogram.custom_values.size()), is_gauge);
}

} // namespace wva_metrics::exposition
