// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bar_chart.hpp"
#include "comparison.hpp"
#include "svg.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace bench::report {

/// All ratios in one picture, on a logarithmic axis: for each peer the median as a dot, the spread
/// as a line, and the target as an upright mark.
inline std::string draw_ratios(const std::vector<Comparison>& comparisons, std::string_view title,
                               std::string_view footnote) {
    constexpr double row = 20;
    struct Line {
        std::string label;
        const PeerComparison* peer;
    };
    struct Group {
        std::string_view path;
        std::vector<Line> lines;
    };
    std::vector<Group> groups;
    std::size_t longest = 0;
    std::size_t rows = 0;
    double low = 0.5;
    double high = 2;
    for (const Comparison& comparison : comparisons)
        for (const PeerComparison& peer : comparison.peers) {
            if (!peer.ratio || !std::isfinite(peer.ratio->high) || !(peer.ratio->low > 0))
                continue;
            if (groups.empty() || groups.back().path != comparison.path)
                groups.push_back({comparison.path, {}});
            groups.back().lines.push_back({comparison.work + " \u00b7 " + peer.who, &peer});
            longest = std::max(longest, width_of(groups.back().lines.back().label));
            low = std::min({low, peer.ratio->low, peer.at_least.value_or(low)});
            high = std::max({high, peer.ratio->high, peer.at_least.value_or(high)});
            ++rows;
        }
    const double left = detail::label_room(longest);
    const double right = detail::picture_width - detail::side - 60;
    const auto x_of = [&](double ratio) {
        return left + (right - left) * std::log(ratio / low) / std::log(high / low);
    };

    Svg svg;
    double y = detail::draw_head(svg, title,
                                 {{"ours", "median; the line is the spread over the rounds"},
                                  {"bad", "median, below the target"}});
    const double top = y;
    const double bottom = top + row * static_cast<double>(rows + groups.size()) +
                          6 * static_cast<double>(groups.size());
    const bool few_decades = high / low < 1000;
    for (double decade = std::pow(10.0, std::floor(std::log10(low))); decade <= high; decade *= 10)
        for (const double factor : {1.0, 2.0, 5.0}) {
            const double tick = decade * factor;
            if (tick < low || tick > high || (factor != 1 && !few_decades))
                continue;
            svg.line(x_of(tick), top, x_of(tick), bottom, "grid");
            svg.text(x_of(tick), bottom + 16, "faint", Svg::Anchor::middle, readable(tick));
        }
    svg.line(x_of(1), top, x_of(1), bottom, "axis");
    for (const Group& group : groups) {
        y += row + 6;
        svg.text(detail::side, y - 7, "strong", Svg::Anchor::start, group.path);
        for (const Line& line : group.lines) {
            const PeerComparison& peer = *line.peer;
            const double middle = y + row / 2 - 2;
            svg.text(left - 8, middle + 4.5, "plain", Svg::Anchor::end, line.label);
            if (peer.at_least)
                svg.line(x_of(*peer.at_least), middle - 7, x_of(*peer.at_least), middle + 7,
                         "goal");
            svg.line(x_of(peer.ratio->low), middle, x_of(peer.ratio->high), middle, "whisker");
            svg.circle(x_of(peer.ratio->median), middle, 5,
                       peer.target_state() == TargetState::not_met ? "bad" : "ours");
            svg.text(right + 12, middle + 4.5, "plain", Svg::Anchor::start,
                     readable(peer.ratio->median));
            y += row;
        }
    }
    svg.text(right, bottom + 34, "faint", Svg::Anchor::end,
             "times better than the peer (logarithmic; right is better; the upright mark is the "
             "target)");
    const double height = detail::draw_foot(svg, bottom + 34, footnote);
    return svg.document(detail::picture_width, height, title);
}

} // namespace bench::report
