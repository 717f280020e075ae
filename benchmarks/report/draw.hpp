// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "axis.hpp"
#include "bar_chart.hpp"
#include "number.hpp"
#include "svg.hpp"
#include "text_width.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bench::report {

namespace layout {

/// Draws a chart from top to bottom; `y_` is the upper edge of what is drawn next.
class Drawing {
public:
    explicit Drawing(const BarChart& chart)
        : chart_(chart), left_(left_of(chart)), axis_(axis_of(chart, left_)) {}

    std::string draw() {
        draw_lines(chart_.title, "strong", strong_font);
        draw_legend();
        y_ += 4;
        const double top = y_;
        draw_grid(top, top + groups_height());
        for (const BarGroup& group : chart_.groups)
            draw_group(group);
        y_ += line_height + 6; // The numbers of the axis.
        for (const std::string& line : wrapped(chart_.axis, inner_width, faint_font))
            svg_.text(picture_width - side, baseline_of_line(), "faint", Svg::Anchor::end, line);
        y_ += 8;
        draw_lines(chart_.footnote, "faint", faint_font);
        return svg_.document(picture_width, y_ + 8, chart_.title);
    }

private:
    static double left_of(const BarChart& chart) {
        double width = 0;
        for (const BarGroup& group : chart.groups)
            for (const Bar& bar : group.bars)
                width = std::max(width, widest(lines_of(bar)));
        return 2 * side + width;
    }
    static double right_of(const BarChart& chart) {
        double width = 0;
        for (const BarGroup& group : chart.groups)
            for (const Bar& bar : group.bars)
                width = std::max(width, text_width(bar.text));
        return picture_width - 2 * side - width;
    }
    static Axis axis_of(const BarChart& chart, double left) {
        // Labels and texts without a space may be so long that they leave no place for the bars.
        const double right = std::max(right_of(chart), left + 100);
        const auto [least, most] = range_of(chart).value_or(std::pair{0.0, 0.0});
        // A dot is not to touch the labels.
        return needs_logarithmic_axis(chart)
                   ? Axis::logarithmic(left, right, least * 0.8, most * 1.1)
                   : Axis::linear(left, right, most);
    }

    /// Moves down by one line; returns the y coordinate to write at.
    double baseline_of_line() {
        y_ += line_height;
        return y_ - 4;
    }
    void draw_lines(std::string_view words, std::string_view style, Font font) {
        for (const std::string& line : wrapped(words, inner_width, font))
            svg_.text(side, baseline_of_line(), style, Svg::Anchor::start, line);
    }

    /// The entries side by side, in as many lines as they need.
    void draw_legend() {
        double x = picture_width;
        double y = 0;
        for (const auto& [style, words] : chart_.legend) {
            const double sign = style.empty() ? 0 : 17;
            const double width = sign + text_width(words, faint_font);
            if (x + width > picture_width - side) {
                x = side;
                y = baseline_of_line();
            }
            if (!style.empty())
                draw_sign(x, y - 4, style);
            svg_.text(x + sign, y, "faint", Svg::Anchor::start, words);
            x += width + 18;
        }
    }
    void draw_sign(double x, double middle, std::string_view style) {
        if (style == "whisker")
            svg_.line(x, middle, x + 12, middle, style);
        else if (style == "goal")
            svg_.line(x + 6, middle - 6, x + 6, middle + 6, style);
        else if (axis_.is_logarithmic())
            svg_.circle(x + 6, middle, 5, style);
        else
            svg_.rect(x, middle - 5, 11, 11, style);
    }

    double groups_height() const {
        double height = 0;
        for (const BarGroup& group : chart_.groups) {
            height += heading_height(group);
            for (const Bar& bar : group.bars)
                height += height_of(bar);
        }
        return height;
    }
    void draw_grid(double top, double bottom) {
        double free_from = 0;
        for (const double tick : axis_.ticks()) {
            const double x = axis_.x_of(tick).value_or(0);
            const bool is_axis = tick == chart_.baseline.value_or(0);
            const std::string number = readable(tick);
            const double half = text_width(number, faint_font) / 2;
            svg_.line(x, top, x, bottom, is_axis ? "axis" : "grid");
            if (x - half < free_from)
                continue;
            svg_.text(x, bottom + 16, "faint", Svg::Anchor::middle, number);
            free_from = x + half + 6;
        }
    }

    void draw_group(const BarGroup& group) {
        y_ += 8;
        draw_lines(group.heading, "strong", strong_font);
        y_ += 2;
        for (const Bar& bar : group.bars)
            draw_bar(bar);
    }
    void draw_bar(const Bar& bar) {
        const double top = y_;
        for (const std::string& line : lines_of(bar))
            svg_.text(left_ - side / 2, baseline_of_line(), "plain", Svg::Anchor::end, line);
        const double middle = (top + y_) / 2;
        svg_.text(picture_width - side, middle + 4.5, "plain", Svg::Anchor::end, bar.text);
        if (bar.goal)
            if (const auto x = axis_.x_of(*bar.goal))
                svg_.line(*x, middle - 7, *x, middle + 7, "goal");
        if (!axis_.is_logarithmic())
            draw_parts(bar, middle);
        if (bar.whisker) {
            const auto from = axis_.x_of(bar.whisker->first);
            const auto to = axis_.x_of(bar.whisker->second);
            if (from && to)
                svg_.line(*from, middle, *to, middle, "whisker");
        }
        if (axis_.is_logarithmic() && !bar.parts.empty())
            if (const auto x = axis_.x_of(bar.end()))
                svg_.circle(*x, middle, 5, bar.parts.front().style);
        y_ += 3;
    }
    void draw_parts(const Bar& bar, double middle) {
        double sum = 0;
        for (const BarPart& part : bar.parts) {
            const auto from = axis_.x_of(sum);
            const auto to = axis_.x_of(sum + part.value);
            if (from && to)
                svg_.rect(*from, middle - 7, *to - *from, 14, part.style);
            sum += part.value;
        }
    }

    const BarChart& chart_;
    /// The x coordinate where the axis begins.
    double left_;
    Axis axis_;
    Svg svg_;
    double y_ = 10;
};

} // namespace layout

/// The chart as an SVG picture. A value that the axis cannot show, such as infinity, has only its
/// text.
inline std::string draw(const BarChart& chart) {
    return layout::Drawing(chart).draw();
}

} // namespace bench::report
