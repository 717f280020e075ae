// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bar_chart.hpp"
#include "comparison.hpp"
#include "number.hpp"

#include <algorithm>
#include <cctype>
#include <string>
#include <string_view>
#include <vector>

namespace bench::report {

/// A file name made from text: letters and digits in lower case, single underscores for everything
/// else.
inline std::string file_name(std::string_view words) {
    std::string name;
    for (const char c : words) {
        if (std::isalnum(static_cast<unsigned char>(c)) != 0)
            name += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        else if (!name.empty() && name.back() != '_')
            name += '_';
    }
    while (name.ends_with('_'))
        name.pop_back();
    return name;
}

/// One chart per path and unit, in the order of the table, with the values of all contestants.
inline std::vector<BarChart> charts_of(const std::vector<Comparison>& comparisons,
                                       std::string_view footnote) {
    std::vector<BarChart> charts;
    for (const Comparison& comparison : comparisons) {
        if (!comparison.ours)
            continue;
        const std::string axis =
            comparison.unit +
            (comparison.better == Better::more ? " (more is better)" : " (less is better)");
        auto chart = std::ranges::find_if(charts, [&](const BarChart& c) {
            return c.title == comparison.path && c.axis == axis;
        });
        if (chart == charts.end())
            chart = charts.insert(chart, {comparison.path, axis, {}, {}, std::string(footnote)});
        BarGroup group{comparison.work, {}};
        const Spread& ours = *comparison.ours;
        group.bars.push_back(
            {"ours", {{ours.median, "ours"}}, readable(ours.median), {{ours.low, ours.high}}});
        for (const PeerComparison& peer : comparison.peers)
            if (peer.theirs)
                group.bars.push_back({peer.who, {{*peer.theirs, "peer"}}, readable(*peer.theirs)});
        chart->groups.push_back(std::move(group));
    }
    return charts;
}

} // namespace bench::report
