// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/reading.hpp"
#include "wva_metrics/samples/counter_growth.hpp"
#include "wva_metrics/samples/histogram_quantile.hpp"
#include "wva_metrics/samples/rate_window.hpp"
#include "wva_metrics/samples/sample.hpp"
#include "wva_metrics/samples/view.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string_view>
#include <system_error>
#include <vector>

namespace wva_metrics::samples {

/// The bound of a bucket by its label `le`; nothing if it is no number.
inline std::optional<double> parse_bound(std::string_view le) noexcept {
    if (le == "+Inf" || le == "Inf")
        return std::numeric_limits<double>::infinity();
    if (le.starts_with('+'))
        le.remove_prefix(1);
    double bound = 0;
    const char* const end = le.data() + le.size();
    const std::from_chars_result parsed = std::from_chars(le.data(), end, bound);
    if (parsed.ec != std::errc() || parsed.ptr != end || std::isnan(bound))
        return std::nullopt;
    return bound;
}

/// How fast the buckets of one classic histogram of a process grow.
struct HistogramGrowth {
    /// Why it is not known; `none` if it is.
    ReadingReason reason = ReadingReason::no_series;
    /// Observations per second in each bucket, those of all engines together.
    std::vector<ClassicBucket> buckets{};
    /// The newest sample that counts; without a rate, the newest of all.
    ServerTime newest{};

    /// The quantile of the observations in the window.
    QuantileValue quantile(double q) const {
        return reason == ReadingReason::none ? ClassicHistogram(buckets).quantile(q)
                                             : QuantileValue::none(reason);
    }
};

namespace detail {

/// Adds a series to those of the same bound. Of one histogram there is one: if another spelling of the
/// bound is there, as `1` besides `1.0`, the series of both are one counter. Prometheus 3 writes
/// `1.0` where older ones write `1`, so an upgrade ends the one and begins the other, and a store that
/// removes the label of the replica has both at once.
inline void add_of_bound(std::vector<Series>& all, const Series& added) {
    const auto is_same_but_bound = [&added](const Series& one) {
        return std::ranges::equal(
            one.server_labels, added.server_labels, [](const auto& a, const auto& b) {
                return a.first == b.first && (a.first == "le" || a.second == b.second);
            });
    };
    const auto found = std::ranges::find_if(all, is_same_but_bound);
    if (found == all.end()) {
        all.push_back(added);
        return;
    }
    Series later = found->last().time < added.last().time ? added : *found;
    const Series& earlier = found->last().time < added.last().time ? *found : added;
    const auto overlap =
        std::ranges::lower_bound(earlier.samples, later.samples.front().time, {}, &Sample::time);
    later.samples.insert(later.samples.begin(), earlier.samples.begin(), overlap);
    *found = std::move(later);
}

} // namespace detail

/// The growth of the series `_bucket` of one histogram in a window, each with its label `le`. Engines
/// with the same bound are added up; a series without a bound does not count. As
/// `sum by (le) (rate(x_bucket[...]))` in Prometheus, with the resets and windows of `growth_of`.
inline HistogramGrowth histogram_growth_of(std::span<const Series> all, const RateWindow& window,
                                           std::size_t max_resets, bool ended_count) {
    std::map<double, std::vector<Series>> by_bound;
    for (const Series& series : all)
        if (const std::optional<double> bound = parse_bound(find_label(series.server_labels, "le")))
            detail::add_of_bound(by_bound[*bound], series);
    HistogramGrowth total;
    for (const auto& [bound, series] : by_bound) {
        const CounterGrowth growth = growth_of(series, window, max_resets, ended_count);
        total.newest = std::max(total.newest, growth.newest);
        if (growth.reason == ReadingReason::none) {
            total.buckets.push_back({bound, growth.per_second});
            continue;
        }
        // A bucket that is new, or that nothing fell into, is no bucket yet. Others are a fault.
        if (growth.reason != ReadingReason::warming_up && growth.reason != ReadingReason::no_series)
            return {growth.reason, {}, total.newest};
        if (total.reason != ReadingReason::warming_up)
            total.reason = growth.reason;
    }
    if (!total.buckets.empty())
        total.reason = ReadingReason::none;
    return total;
}

} // namespace wva_metrics::samples
