// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "number.hpp"
#include "svg.hpp"

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

/// One horizontal bar.
struct Bar {
    std::string label;
    std::vector<BarPart> parts;
    /// The text at the end of the bar.
    std::string text;
    /// Begin and end of a line over the bar.
    std::optional<std::pair<double, double>> whisker{};

    /// The value at which it ends, whisker included.
    double end() const {
        double sum = 0;
        for (const BarPart& part : parts)
            sum += part.value;
        return std::max(sum, whisker ? whisker->second : 0);
    }
};

/// Bars under one heading.
struct BarGroup {
    std::string heading;
    std::vector<Bar> bars;
};

/// Bars of one unit, in groups.
struct BarChart {
    std::string title;
    /// The label of the axis: the quantity with its unit.
    std::string axis;
    std::vector<BarGroup> groups;
    /// The meaning of the colours: class and text; may be empty.
    std::vector<std::pair<std::string_view, std::string>> legend{};
    /// Small print.
    std::string footnote{};
};

namespace detail {

inline constexpr double picture_width = 1000;
inline constexpr double side = 16;

/// Draws title and legend of a picture; returns the y coordinate below them.
inline double draw_head(Svg& svg, std::string_view title,
                        const std::vector<std::pair<std::string_view, std::string>>& legend) {
    svg.text(side, 28, "strong", Svg::Anchor::start, title);
    if (legend.empty())
        return 44;
    double x = side;
    for (const auto& [style, words] : legend) {
        svg.rect(x, 41, 11, 11, style);
        svg.text(x + 17, 51, "faint", Svg::Anchor::start, words);
        x += 34 + 6.5 * static_cast<double>(width_of(words));
    }
    return 64;
}

/// Draws the small print; returns the height of the whole picture.
inline double draw_foot(Svg& svg, double y, std::string_view footnote) {
    y += 24;
    for (const std::string& line : wrapped(footnote, 160)) {
        svg.text(side, y, "faint", Svg::Anchor::start, line);
        y += 15;
    }
    return y;
}

/// The width that the longest label needs.
inline double label_room(std::size_t longest) {
    return std::clamp(7.2 * static_cast<double>(longest) + 2 * side, 120.0, 560.0);
}

} // namespace detail

/// The chart as a picture. An infinite value has no bar.
inline std::string draw(const BarChart& chart) {
    constexpr double row = 22;
    constexpr double bar_height = 15;
    std::size_t longest = 0;
    std::size_t widest_text = 0;
    std::size_t rows = 0;
    double most = 0;
    for (const BarGroup& group : chart.groups)
        for (const Bar& bar : group.bars) {
            longest = std::max(longest, width_of(bar.label));
            widest_text = std::max(widest_text, width_of(bar.text));
            if (std::isfinite(bar.end()))
                most = std::max(most, bar.end());
            ++rows;
        }
    const double left = detail::label_room(longest);
    const double right =
        detail::picture_width - detail::side - 7.2 * static_cast<double>(widest_text) - 8;
    const auto x_of = [&](double value) {
        return most > 0 && std::isfinite(value) ? left + (right - left) * value / most : left;
    };

    Svg svg;
    double y = detail::draw_head(svg, chart.title, chart.legend);
    const double top = y;
    const double bottom = top + row * static_cast<double>(rows) +
                          (row + 6) * static_cast<double>(chart.groups.size());
    for (const double tick : linear_ticks(most)) {
        svg.line(x_of(tick), top, x_of(tick), bottom, "grid");
        svg.text(x_of(tick), bottom + 16, "faint", Svg::Anchor::middle, readable(tick));
    }
    svg.line(left, top, left, bottom, "axis");
    for (const BarGroup& group : chart.groups) {
        y += row + 6;
        svg.text(detail::side, y - 7, "strong", Svg::Anchor::start, group.heading);
        for (const Bar& bar : group.bars) {
            const double middle = y + bar_height / 2;
            svg.text(left - 8, middle + 4.5, "plain", Svg::Anchor::end, bar.label);
            double sum = 0;
            for (const BarPart& part : bar.parts) {
                svg.rect(x_of(sum), y, x_of(sum + part.value) - x_of(sum), bar_height, part.style);
                sum += part.value;
            }
            if (bar.whisker)
                svg.line(x_of(bar.whisker->first), middle, x_of(bar.whisker->second), middle,
                         "whisker");
            svg.text(x_of(bar.end()) + 6, middle + 4.5, "plain", Svg::Anchor::start, bar.text);
            y += row;
        }
    }
    svg.text(right, bottom + 34, "faint", Svg::Anchor::end, chart.axis);
    const double height = detail::draw_foot(svg, bottom + 34, chart.footnote);
    return svg.document(detail::picture_width, height, chart.title);
}

} // namespace bench::report
