// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/samples/liveness.hpp"
#include "wva_metrics/samples/sample.hpp"
#include "wva_metrics/samples/sample_rules.hpp"
#include "wva_metrics/samples/view.hpp"
#include "wva_metrics/samples/view_table.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <vector>

namespace wva_metrics::samples {

namespace detail {

/// The time of the newest scrape of a target; empty if there is none.
inline std::optional<ServerTime> last_scrape(std::span<const Sample> up) noexcept {
    if (up.empty())
        return std::nullopt;
    return up.back().time;
}

} // namespace detail

/// The time by which life is judged and at which windows end: that of the evaluation, unless the
/// whole answer is behind it, as where samples arrive late. Then the time of the newest sample.
///
/// An answer is behind if all of its targets together have missed more scrapes than the rules
/// allow, by the median of their spacings. What is known to have ended does not show it, so that
/// the end of the only pod is not taken for a delay. `others` are targets without a view.
inline ServerTime reference_time(ServerTime evaluated,
                                 const std::map<std::size_t, std::vector<View>>& models,
                                 std::span<const TargetUp> others, const SampleRules& rules) {
    std::optional<ServerTime> newest;
    std::vector<ServerDuration> spacings;
    for (const auto& [model, views] : models) {
        for (const View& view : views) {
            newest = std::max({newest, std::optional(view.last()), detail::last_scrape(view.up)});
            const std::optional<ServerDuration> spacing = scrape_spacing(view);
            if (spacing && !view.has_ended)
                spacings.push_back(*spacing);
        }
    }
    for (const TargetUp& target : others)
        newest = std::max(newest, detail::last_scrape(target.samples));
    if (spacings.empty() || *newest > evaluated)
        return evaluated;
    const auto middle = spacings.begin() + static_cast<std::ptrdiff_t>(spacings.size() / 2);
    std::ranges::nth_element(spacings, middle);
    return detail::is_overdue(*newest, evaluated, *middle, rules) ? *newest : evaluated;
}

} // namespace wva_metrics::samples
