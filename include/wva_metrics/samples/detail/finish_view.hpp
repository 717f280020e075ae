// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/samples/detail/server_labels.hpp"
#include "wva_metrics/samples/sample.hpp"
#include "wva_metrics/samples/view.hpp"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstdint>
#include <iterator>
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

/// Which of two series of the same labels is kept: the one with the newest sample, then the one
/// with more, and else by their values, so that the order in which they came does not matter.
inline bool is_better(const Series& one, const Series& other) {
    const auto rank = [](const Series& series) {
        return std::tuple(series.last().time, series.samples.size());
    };
    if (rank(one) != rank(other))
        return rank(one) > rank(other);
    const auto bits = [](const Sample& sample) {
        return std::pair(sample.time, std::bit_cast<std::uint64_t>(sample.value));
    };
    return std::ranges::lexicographical_compare(other.samples, one.samples, {}, bits, bits);
}

/// Sorts the series; of those with the same labels, one is left. A histogram that is stored in both
/// forms, native and classic, has such series.
inline void sort_series(std::vector<Series>& all) {
    const auto key = [](const Series& series) {
        return std::tie(series.metric, series.server_labels);
    };
    std::ranges::sort(all, [&](const Series& one, const Series& other) {
        const auto order = key(one) <=> key(other);
        return order < 0 || (order == 0 && is_better(one, other));
    });
    all.erase(
        std::unique(all.begin(), all.end(),
                    [&](const Series& one, const Series& other) { return key(one) == key(other); }),
        all.end());
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
    std::ranges::sort(seen);
    std::ranges::sort(alive);
    // Only of what was seen to run is known that it runs no more.
    const auto is_dead = [&](const Labels& engine) {
        return std::ranges::binary_search(seen, engine) &&
               !std::ranges::binary_search(alive, engine);
    };
    if (seen.empty())
        return;
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
    view.has_ended = std::ranges::all_of(view.series, &Series::has_ended);
}

} // namespace wva_metrics::samples::detail
