// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/samples/detail/spacing.hpp"
#include "wva_metrics/samples/sample_rules.hpp"
#include "wva_metrics/samples/view.hpp"

#include <chrono>
#include <optional>

namespace wva_metrics::samples {

/// How often the target is scraped: by the view's own samples, else by those of its `up`, which is
/// written even if a scrape fails. Empty if both have fewer than two.
inline std::optional<ServerDuration> scrape_spacing(const View& view) {
    if (const std::optional<ServerDuration> own = view.spacing())
        return own;
    return detail::median_spacing(view.up, &Sample::time);
}

namespace detail {

/// True if at `now` more scrapes were missed than the rules allow.
inline bool is_overdue(ServerTime last, ServerTime now, ServerDuration spacing,
                       const SampleRules& rules) noexcept {
    using Fractional = std::chrono::duration<double, ServerDuration::period>;
    return Fractional(now - last) > rules.max_missed_scrapes * Fractional(spacing);
}

} // namespace detail

namespace detail {

/// True if the newest scrape of the view's target was not missed, and succeeded.
inline bool was_just_read(const View& view, ServerTime now, const SampleRules& rules) {
    if (view.up.empty() || view.up.back().value != 1)
        return false;
    const std::optional<ServerDuration> spacing = median_spacing(view.up, &Sample::time);
    return spacing && !is_overdue(view.up.back().time, now, *spacing, rules);
}

} // namespace detail

/// True if the view's process no longer answers scrapes: its series have ended, or too many scrapes
/// were missed. False if nothing is known of the spacing.
///
/// Samples may have times of their own, as those that one Prometheus reads from another. Then they
/// are old, and their page is still read with all of its series.
inline bool is_lost(const View& view, ServerTime now, const SampleRules& rules) {
    if (view.has_ended)
        return true;
    if (view.is_end_known && detail::was_just_read(view, now, rules))
        return false;
    const std::optional<ServerDuration> spacing = scrape_spacing(view);
    return spacing && detail::is_overdue(view.last(), now, *spacing, rules);
}

/// True if the view's target is still scraped, and its newest scrape failed: the process may be
/// alive, but it cannot be read.
inline bool is_unread(const View& view, ServerTime now, const SampleRules& rules) {
    if (view.up.empty() || view.up.back().value != 0)
        return false;
    const std::optional<ServerDuration> spacing = scrape_spacing(view);
    const ServerTime last = view.up.back().time;
    return spacing ? !detail::is_overdue(last, now, *spacing, rules) : now - last <= rules.window;
}

} // namespace wva_metrics::samples
