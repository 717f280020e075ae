// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/exposition/native_histogram.hpp"
#include "wva_metrics/samples/counter.hpp"
#include "wva_metrics/samples/native_merge.hpp"
#include "wva_metrics/samples/sample.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>
#include <span>

// What a native histogram did in a window, as in Prometheus 3.5 (`histogramRate` in
// promql/functions.go). The samples ascend in time.

namespace wva_metrics::samples {

/// One sample of a native histogram.
struct NativeSample {
    ServerTime time{};           ///< When it was scraped.
    NativeHistogram histogram{}; ///< As exposed by the server.
};

namespace detail {

/// True if a bucket holds less than before, other than that of zero.
inline bool has_lost(const NativeBuckets& now, const NativeBuckets& before, int steps,
                     const NativeHistogram& current) {
    const IndexedBuckets present = index_buckets(now, 0);
    auto at = present.begin();
    for (const auto& [index, count] : index_buckets(before, steps)) {
        // The observations of others are in the zero bucket.
        const bool is_bucket =
            current.has_custom_bounds() ||
            is_above(exposition::native_bound(index, current.schema), current.zero_threshold);
        if (!is_bucket)
            continue;
        while (at != present.end() && at->first < index)
            ++at;
        const double left = at != present.end() && at->first == index ? at->second : 0;
        if (left < count)
            return true;
    }
    return false;
}

} // namespace detail

/// True if the histogram began anew between two samples: it has fewer observations than before, in
/// all or in one bucket, or finer buckets, which it can only have after a reset. As `DetectReset` of
/// Prometheus.
inline bool was_reset(const NativeHistogram& now, const NativeHistogram& before) {
    if (now.count < before.count || !can_add(now, before) || now.schema > before.schema ||
        now.zero_threshold < before.zero_threshold)
        return true;
    if (now.zero_threshold != before.zero_threshold || now.zero_count < before.zero_count) {
        detail::IndexedHistogram widened(before);
        widened.widen(now.zero_threshold);
        if (widened.zero_threshold != now.zero_threshold || now.zero_count < widened.zero_count)
            return true;
    }
    const int steps = before.schema - now.schema;
    return detail::has_lost(now.positive, before.positive, steps, now) ||
           detail::has_lost(now.negative, before.negative, steps, now);
}

/// By how much a histogram grew from the first sample to the last, in the coarsest schema of all.
/// After a reset it grew from nothing; the first sample does not matter if the second is after one.
/// Empty if there are fewer than two samples, or if their buckets have different custom bounds.
inline std::optional<NativeHistogram> native_increase(std::span<const NativeSample> samples) {
    if (samples.size() < 2)
        return std::nullopt;
    NativeHistogram nothing;
    const NativeHistogram* before = &samples.front().histogram;
    if (was_reset(samples[1].histogram, *before)) {
        nothing.schema = samples[1].histogram.schema;
        nothing.custom_values = samples[1].histogram.custom_values;
        before = &nothing;
    }
    int schema = before->schema;
    for (const NativeSample& sample : samples.subspan(1)) {
        if (!can_add(sample.histogram, *before))
            return std::nullopt;
        schema = std::min(schema, sample.histogram.schema);
    }
    NativeHistogram grown = reduce_native(samples.back().histogram, schema);
    add_native(grown, *before, -1);
    for (const NativeSample& sample : samples.subspan(1)) {
        if (was_reset(sample.histogram, *before))
            add_native(grown, *before);
        before = &sample.histogram;
    }
    return grown;
}

/// The histogram's increase per second over the window (start, end], extrapolated to its edges. Unlike
/// that of a counter (`rate_per_second`), also to before its zero: so does Prometheus 3.5. All samples
/// lie in the window.
///
/// Empty if there are fewer than two samples, if the window or the time between them is empty, or if
/// their buckets have different custom bounds.
inline std::optional<NativeHistogram> native_rate(std::span<const NativeSample> samples,
                                                  ServerTime start, ServerTime end) {
    if (samples.size() < 2 || end <= start || samples.back().time <= samples.front().time)
        return std::nullopt;
    std::optional<NativeHistogram> grown = native_increase(samples);
    if (!grown)
        return std::nullopt;
    const SampleSpread spread =
        spread_of(samples.front().time, samples.back().time, samples.size(), start, end);
    const double before = spread.reaches_start() ? spread.to_start : spread.mean / 2;
    const double after = spread.reaches_end() ? spread.to_end : spread.mean / 2;
    const double window = std::chrono::duration<double>(end - start).count();
    scale_native(*grown, (spread.sampled + before + after) / spread.sampled / window);
    return grown;
}

} // namespace wva_metrics::samples
