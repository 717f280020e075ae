// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/reading.hpp"
#include "wva_metrics/samples/counter.hpp"
#include "wva_metrics/samples/liveness.hpp"
#include "wva_metrics/samples/sample_rules.hpp"
#include "wva_metrics/samples/view.hpp"
#include "wva_metrics/samples/window.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace wva_metrics::samples {

/// The window over which the counters of one view are measured: (start, end].
struct RateWindow {
    /// Why there is none; `none` if there is one.
    ReadingReason reason = ReadingReason::none;
    ServerTime start{}; ///< Not part of the window.
    ServerTime end{};   ///< Part of the window.
    /// The time from the view's first sample in the window to its last, if its samples do not reach
    /// back to the start: nothing is known of what was before. Else empty.
    std::optional<ServerDuration> covered{};
    /// A process is known to have begun anew in the view: what falls was reset.
    bool has_restarted = false;

    /// Over how long is measured.
    ServerDuration length() const noexcept { return covered.value_or(end - start); }

    /// The samples of a counter without its dips; nothing if it has none. See `samples::level_dips`.
    std::vector<Sample> level_dips(std::span<const Sample> samples) const {
        return has_restarted ? std::vector<Sample>() : samples::level_dips(samples);
    }
};

namespace detail {

/// True if the view has the starts of several processes. What else identifies one may differ by series.
inline bool has_several_starts(const View& view) noexcept {
    const auto is_start = [](const ProcessIdentity& identity) {
        return identity.metric == "process_start_time_seconds";
    };
    return std::ranges::count_if(view.identity, is_start) > 1;
}

/// Why a view that has fewer than two samples in the longest window that it may have has no rate.
inline ReadingReason why_no_window(const View& view, ServerTime now,
                                   std::optional<ServerDuration> spacing,
                                   const SampleRules& rules) {
    if (is_lost(view, now, rules))
        return ReadingReason::no_series;
    // A window holds two samples if it is as long as two spacings. A spacing that is not known is
    // at least the age of the only sample.
    const bool will_hold_two =
        view.times.size() < 2 && 2 * spacing.value_or(now - view.first()) <= rules.window;
    return will_hold_two ? ReadingReason::warming_up : ReadingReason::window_too_short;
}

/// The configured window; if it holds fewer than two samples, a longer one: a number of spacings,
/// or back to the last two samples of a living process.
inline ServerDuration widened_window(const View& view, ServerTime now,
                                     std::optional<ServerDuration> spacing,
                                     const SampleRules& rules) {
    if (times_within(view.times, now - rules.window, now).size() >= 2 || !spacing)
        return rules.window;
    ServerDuration wide = rules.widened_spacings * *spacing;
    if (view.times.size() >= 2 && !is_lost(view, now, rules))
        wide = std::max(wide, now - view.times[view.times.size() - 2] + ServerDuration(1));
    return std::max(rules.window, std::min(wide, rules.longest_window));
}

} // namespace detail

/// The window of a view's rates and averages that ends at `now`. One that holds fewer than two
/// samples is widened.
///
/// Without a window, the reason is `warming_up` if the first samples have only just arrived,
/// `window_too_short` if the target is scraped too rarely for it, and `no_series` if the process
/// answers no more scrapes.
inline RateWindow find_rate_window(const View& view, ServerTime now, const SampleRules& rules) {
    const std::optional<ServerDuration> spacing = scrape_spacing(view);
    RateWindow window;
    window.start = now - detail::widened_window(view, now, spacing, rules);
    window.end = now;
    window.has_restarted = detail::has_several_starts(view);
    const auto times = times_within(view.times, window.start, window.end);
    if (times.size() < 2) {
        window.reason = detail::why_no_window(view, now, spacing, rules);
        return window;
    }
    const SampleSpread spread =
        spread_of(times.front(), times.back(), times.size(), window.start, window.end);
    if (!spread.reaches_start())
        window.covered = times.back() - times.front();
    return window;
}

} // namespace wva_metrics::samples
