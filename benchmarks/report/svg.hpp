// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdio>
#include <string>
#include <string_view>

namespace bench::report {

/// An SVG picture without script. It has a background of its own, and colours for light and dark
/// pages, so that it is readable as an image in any page.
///
/// Shapes get their colours from their class: "ours", "peer", "bad"; "first", "second", "third" for
/// parts of a whole; lines "grid", "axis", "whisker", "goal"; texts "strong", "plain", "faint".
class Svg {
public:
    /// Which point of a text the given coordinates are.
    enum class Anchor { start, middle, end };

    void rect(double x, double y, double width, double height, std::string_view style) {
        body_ += "<rect class=\"" + std::string(style) + "\"" + at("x", x) + at("y", y) +
                 at("width", std::max(width, 0.0)) + at("height", std::max(height, 0.0)) + "/>\n";
    }
    void line(double x1, double y1, double x2, double y2, std::string_view style) {
        body_ += "<line class=\"" + std::string(style) + "\"" + at("x1", x1) + at("y1", y1) +
                 at("x2", x2) + at("y2", y2) + "/>\n";
    }
    void circle(double x, double y, double radius, std::string_view style) {
        body_ += "<circle class=\"" + std::string(style) + "\"" + at("cx", x) + at("cy", y) +
                 at("r", radius) + "/>\n";
    }
    void text(double x, double y, std::string_view style, Anchor anchor, std::string_view words) {
        constexpr std::array names{"start", "middle", "end"};
        body_ += "<text class=\"" + std::string(style) + "\"" + at("x", x) + at("y", y) +
                 " text-anchor=\"" + names[static_cast<std::size_t>(anchor)] + "\">" +
                 escaped(words) + "</text>\n";
    }

    /// The whole picture, in user units of about a pixel. `title` is read by screen readers.
    std::string document(double width, double height, std::string_view title) const {
        const std::string size = at("width", width) + at("height", height);
        return "<svg xmlns=\"http://www.w3.org/2000/svg\"" + size + " viewBox=\"0 0 " +
               number(width) + ' ' + number(height) + "\" role=\"img\">\n<title>" + escaped(title) +
               "</title>\n" + std::string(style_sheet) + "<rect class=\"page\"" + size + "/>\n" +
               body_ + "</svg>\n";
    }

    /// Text escaped for use between tags, or in an attribute's quotes.
    static std::string escaped(std::string_view words) {
        std::string text;
        for (const char c : words) {
            if (c == '&')
                text += "&amp;";
            else if (c == '<')
                text += "&lt;";
            else if (c == '>')
                text += "&gt;";
            else if (c == '"')
                text += "&quot;";
            else
                text += c;
        }
        return text;
    }

private:
    static constexpr std::string_view style_sheet = R"(<style>
text { font: 13px system-ui, sans-serif }
.page { fill: #ffffff } .strong { fill: #1f2328; font-weight: 600; paint-order: stroke; stroke: #ffffff; stroke-width: 4px } .plain { fill: #1f2328 }
.faint { fill: #59636e; font-size: 12px }
.ours { fill: #0969da } .peer { fill: #a8b3bd } .bad { fill: #cf222e }
.first { fill: #1a7f37 } .second { fill: #d4a72c } .third { fill: #cf222e }
line { stroke-width: 1 } .grid { stroke: #d1d9e0 } .axis { stroke: #59636e }
.whisker { stroke: #1f2328; stroke-width: 2 } .goal { stroke: #8250df; stroke-width: 3 }
@media (prefers-color-scheme: dark) {
.page { fill: #0d1117 } .strong, .plain { fill: #f0f6fc } .faint { fill: #9198a1 }
.ours { fill: #4493f8 } .peer { fill: #5c6671 } .bad { fill: #f85149 }
.first { fill: #3fb950 } .second { fill: #d29922 } .third { fill: #f85149 }
.strong { stroke: #0d1117 }
.grid { stroke: #2f3742 } .axis { stroke: #9198a1 } .whisker { stroke: #f0f6fc } .goal { stroke: #ab7df8 }
}
</style>
)";

    static std::string number(double value) {
        char text[32];
        std::snprintf(text, sizeof text, "%.1f", value);
        return text;
    }
    static std::string at(const char* name, double value) {
        return ' ' + std::string(name) + "=\"" + number(value) + '"';
    }

    std::string body_;
};

} // namespace bench::report
