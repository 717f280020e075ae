// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/samples/detail/compare_copies.hpp"
#include "wva_metrics/samples/detail/server_labels.hpp"
#include "wva_metrics/samples/metric_set.hpp"
#include "wva_metrics/samples/sample.hpp"
#include "wva_metrics/samples/view.hpp"

#include <algorithm>
#include <bit>
#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <set>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

// The last steps of a view, once all of its series are there. The order in which they came does not
// matter.

namespace wva_metrics::samples::detail {

/// Which series of a view a statement is about.
struct SeriesKey {
    MetricId metric = 0;    ///< The metric.
    Labels server_labels{}; ///< See `Series::server_labels`.

    friend auto operator<=>(const SeriesKey&, const SeriesKey&) = default;
};

/// Which of two series of the same labels is kept: the one with the newest sample, then the first
/// copy, then the one with more samples, and else by their values, so that the order in which they
/// came does not matter.
inline bool is_better(const Series& one, const Series& other) {
    if (one.last().time != other.last().time)
        return one.last().time > other.last().time;
    if (const std::strong_ordering order = compare_copies(one.copy, other.copy); order != 0)
        return order < 0;
    if (one.samples.size() != other.samples.size())
        return one.samples.size() > other.samples.size();
    const auto bits = [](const Sample& sample) {
        return std::pair(sample.time, std::bit_cast<std::uint64_t>(sample.value));
    };
    return std::ranges::lexicographical_compare(other.samples, one.samples, {}, bits, bits);
}

/// Puts the histograms of an earlier copy before those of the one that took its place; both together
/// have `samples` samples. A sample that has none keeps none.
inline void join_natives(Series& earlier, Series& later, std::size_t samples) {
    if (earlier.natives.empty() && later.natives.empty())
        return;
    const std::size_t own = later.samples.size();
    earlier.natives.resize(samples - own);
    later.natives.resize(own);
    later.natives.insert(later.natives.begin(), earlier.natives.begin(), earlier.natives.end());
    earlier.natives.clear();
}

/// Puts the samples of an earlier copy before those of the one that took its place, as if both were
/// one series: a scheduler that began anew may write another `pid`.
inline void join_successors(std::vector<Series>& all) {
    for (std::size_t kept = 0, next = 1; next < all.size(); ++next) {
        const bool is_same = all[next].metric == all[kept].metric &&
                             all[next].server_labels == all[kept].server_labels;
        if (!is_same) {
            kept = next;
        } else if (all[next].copy != all[kept].copy &&
                   all[next].last().time < all[kept].samples.front().time) {
            std::vector<Sample> joined = std::move(all[next].samples);
            joined.insert(joined.end(), all[kept].samples.begin(), all[kept].samples.end());
            join_natives(all[next], all[kept], joined.size());
            all[kept].samples = std::move(joined);
            all[next].samples = {all[kept].samples.front()};
        }
    }
}

/// Sorts the series; of those with the same labels, one is left. A histogram that is stored in both
/// forms, native and classic, has such series, and so has an engine whose ranks all write theirs.
inline void sort_series(std::vector<Series>& all) {
    const auto key = [](const Series& series) {
        return std::tie(series.metric, series.server_labels);
    };
    std::ranges::sort(all, [&](const Series& one, const Series& other) {
        const auto order = key(one) <=> key(other);
        return order < 0 || (order == 0 && is_better(one, other));
    });
    join_successors(all);
    all.erase(
        std::unique(all.begin(), all.end(),
                    [&](const Series& one, const Series& other) { return key(one) == key(other); }),
        all.end());
}

/// Removes the series of gauges that are parts of a total that is there too; see `part_label`.
inline void drop_parts(std::vector<Series>& all, const MetricSet& metrics) {
    const auto is_part = [&metrics](const Series& series) {
        return !metrics.is_counter(series.metric) &&
               std::ranges::any_of(series.server_labels,
                                   [](const auto& label) { return label.first == part_label; });
    };
    if (std::ranges::none_of(all, is_part))
        return;
    std::set<SeriesKey> totals;
    for (const Series& series : all)
        if (!is_part(series))
            totals.insert({series.metric, series.server_labels});
    std::erase_if(all, [&](const Series& series) {
        if (!is_part(series))
            return false;
        SeriesKey total{series.metric, series.server_labels};
        std::erase_if(total.server_labels,
                      [](const auto& label) { return label.first == part_label; });
        return totals.contains(total);
    });
}

/// The times of all samples, ascending, each once.
inline std::vector<ServerTime> times_of(std::span<const Series> all) {
    std::vector<ServerTime> times;
    std::vector<ServerTime> merged;
    for (const Series& series : all) {
        // Series of one target are nearly always scraped at the same times.
        if (std::ranges::equal(series.samples, times, {}, &Sample::time))
            continue;
        merged.clear();
        std::vector<ServerTime> own;
        for (const Sample& sample : series.samples)
            own.push_back(sample.time);
        std::ranges::set_union(times, own, std::back_inserter(merged));
        times.swap(merged);
    }
    return times;
}

/// True if the newest sample is so young that nothing can have ended the series since: that is known
/// half a scrape later at the earliest. A scrape is stored after the time of its samples, so it may
/// be missing from one answer for that time, and be in the next.
inline bool has_just_come(const Series& series, ServerTime now) {
    constexpr ServerDuration longest_scrape = std::chrono::seconds(5);
    const auto spacing = median_spacing(series.samples, &Sample::time);
    const ServerDuration limit =
        spacing ? std::min<ServerDuration>(*spacing / 2, longest_scrape) : longest_scrape;
    return series.last().time > now - limit;
}

/// Ends the series of engines of which no series of `Signal::running` lives. `running` and `living`
/// are sorted; what lives was asked for at `asked_at`.
inline void end_dead_engines(View& view, std::span<const MetricId> running,
                             std::span<const SeriesKey> living, ServerTime asked_at) {
    std::vector<Labels> seen;
    std::vector<Labels> alive;
    for (const Series& series : view.series) {
        if (!std::ranges::binary_search(running, series.metric))
            continue;
        seen.push_back(engine_of(series.server_labels));
        if (std::ranges::binary_search(living, SeriesKey{series.metric, series.server_labels}) ||
            has_just_come(series, asked_at))
            alive.push_back(seen.back());
    }
    if (alive.size() == seen.size())
        return;
    std::ranges::sort(seen);
    std::ranges::sort(alive);
    // Only of what was seen to run is known that it runs no more.
    const auto is_dead = [&](const Labels& engine) {
        return std::ranges::binary_search(seen, engine) &&
               !std::ranges::binary_search(alive, engine);
    };
    for (Series& series : view.series)
        if (alive.empty() || is_dead(engine_of(series.server_labels)))
            series.has_ended = true;
}

/// Ends the series that lack the newest samples of their view: they have vanished from a page that
/// is still read. One scrape may be missing, because the series of one scrape do not always arrive
/// together.
inline void end_lagging_series(View& view) {
    for (Series& series : view.series) {
        const ServerDuration lag = view.last() - series.last().time;
        if (lag <= ServerDuration::zero())
            continue;
        const auto spacing =
            std::max(view.spacing(), median_spacing(series.samples, &Sample::time));
        series.has_ended |= spacing && lag > *spacing + *spacing / 2;
    }
}

/// Completes a view that has series. `running` are the metrics of `Signal::running`, sorted.
/// `living` are the series of them that live, sorted, by a query for the time `asked_at`; null if
/// that is not known.
inline void finish_view(View& view, std::span<const MetricId> running,
                        const std::vector<SeriesKey>* living, ServerTime asked_at) {
    sort_series(view.series);
    view.times = times_of(view.series);
    if (living != nullptr)
        end_dead_engines(view, running, *living, asked_at);
    end_lagging_series(view);
    view.is_end_known |= living != nullptr;
    view.has_ended = std::ranges::all_of(view.series, &Series::has_ended);
}

} // namespace wva_metrics::samples::detail
