// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "text_width.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bench::report {

/// One part of a bar; the parts are drawn one after the other.
struct BarPart {
    double value;
    /// A class of `Svg`.
    std::string_view style;
};

/// One horizontal bar; on a logarithmic axis, which has no 0 to begin at, a dot.
struct Bar {
    std::string label;
    std::vector<BarPart> parts;
    /// The text to the right of the bar.
    std::string text;
    /// Begin and end of a line over the bar.
    std::optional<std::pair<double, double>> whisker{};
    /// The place of an upright mark.
    std::optional<double> goal{};

    /// The value at which its parts end.
    double end() const {
        double sum = 0;
        for (const BarPart& part : parts)
            sum += part.value;
        return sum;
    }
};

/// Bars under one heading.
struct BarGroup {
    std::string heading;
    std::vector<Bar> bars;
};

/// An entry of a legend. A class of `Svg` and its meaning; a class that is empty has no sign.
using LegendEntry = std::pair<std::string_view, std::string>;

/// Bars of one quantity, in groups.
struct BarChart {
    std::string title;
    /// The label of the axis: the quantity with its unit.
    std::string axis;
    std::vector<BarGroup> groups;
    std::vector<LegendEntry> legend{};
    /// Small print.
    std::string footnote{};
    /// If set, the axis is logarithmic and has a line at this value: that of a ratio of equals is 1.
    std::optional<double> baseline{};
};

/// Calls `f(value)` for each value that the axis has to include, if it is finite.
template <typename F>
void for_each_value(const BarChart& chart, F f) {
    const auto put = [&](double value) {
        if (std::isfinite(value))
            f(value);
    };
    for (const BarGroup& group : chart.groups)
        for (const Bar& bar : group.bars) {
            put(bar.end());
            if (bar.whisker) {
                put(bar.whisker->first);
                put(bar.whisker->second);
            }
            if (bar.goal)
                put(*bar.goal);
        }
    if (chart.baseline)
        put(*chart.baseline);
}

/// The least value above 0 and the greatest value; nothing if none is above 0.
inline std::optional<std::pair<double, double>> range_of(const BarChart& chart) {
    std::optional<std::pair<double, double>> range;
    for_each_value(chart, [&](double value) {
        if (value <= 0)
            return;
        if (!range)
            range.emplace(value, value);
        range->first = std::min(range->first, value);
        range->second = std::max(range->second, value);
    });
    return range;
}

/// Whether the chart has a bar to look at: one with a value that is finite and not 0.
inline bool has_visible_bar(const BarChart& chart) {
    for (const BarGroup& group : chart.groups)
        for (const Bar& bar : group.bars)
            if (std::isfinite(bar.end()) && bar.end() > 0)
                return true;
    return false;
}

/// Whether the axis has to be logarithmic: on a linear axis of more than two decades, the small
/// values would not be visible. Bars of several parts need a linear axis.
inline bool needs_logarithmic_axis(const BarChart& chart) {
    for (const BarGroup& group : chart.groups)
        for (const Bar& bar : group.bars)
            if (bar.parts.size() > 1)
                return false;
    const auto range = range_of(chart);
    return chart.baseline || (range && range->second > 100 * range->first);
}

namespace layout {

// In pixels. A README shows a picture at about this width, so a text has the size it says.
inline constexpr double picture_width = 800;
inline constexpr double side = 16;
inline constexpr double inner_width = picture_width - 2 * side;
inline constexpr double line_height = 17;
/// The most that the groups of one picture take.
inline constexpr double most_height = 1000;
inline constexpr double most_label_width = 300;

inline double height_of_lines(const std::vector<std::string>& lines) {
    return line_height * static_cast<double>(lines.size());
}
inline std::vector<std::string> lines_of(const Bar& bar) {
    return wrapped(bar.label, most_label_width);
}
inline double height_of(const Bar& bar) {
    return height_of_lines(lines_of(bar)) + 3;
}
inline std::vector<std::string> heading_lines(const BarGroup& group) {
    return wrapped(group.heading, inner_width, strong_font);
}
/// Of its heading, with the distance to the bars above and below it.
inline double heading_height(const BarGroup& group) {
    return height_of_lines(heading_lines(group)) + 10;
}

} // namespace layout

/// The chart in parts that are not too tall for a picture. A group that is too tall is divided.
inline std::vector<BarChart> pages_of(const BarChart& chart) {
    std::vector<BarChart> pages;
    double height = 0;
    const auto begin_page = [&] {
        pages.push_back(chart);
        pages.back().groups.clear();
        height = 0;
    };
    begin_page();
    for (const BarGroup& group : chart.groups) {
        double group_height = layout::heading_height(group);
        for (const Bar& bar : group.bars)
            group_height += layout::height_of(bar);
        if (height > 0 && height + group_height > layout::most_height)
            begin_page();
        pages.back().groups.push_back({group.heading, {}});
        height += layout::heading_height(group);
        for (const Bar& bar : group.bars) {
            if (height + layout::height_of(bar) > layout::most_height) {
                begin_page();
                pages.back().groups.push_back({group.heading, {}});
                height = layout::heading_height(group);
            }
            pages.back().groups.back().bars.push_back(bar);
            height += layout::height_of(bar);
        }
    }
    for (std::size_t i = 0; pages.size() > 1 && i < pages.size(); ++i)
        pages[i].title += ", part " + std::to_string(i + 1) + " of " + std::to_string(pages.size());
    return pages;
}

} // namespace bench::report
