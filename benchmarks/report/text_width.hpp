// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace bench::report {

/// How large a text is drawn.
struct Font {
    double size;
    bool is_bold = false;
};

inline constexpr Font plain_font{13};
inline constexpr Font strong_font{13, true};
inline constexpr Font faint_font{12};

namespace detail {

/// The width of a character in units of the font size; 0 for the further bytes of a UTF-8 character.
inline double width_of_char(char c) {
    constexpr auto in = [](std::string_view set, char letter) {
        return set.find(letter) != std::string_view::npos;
    };
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x80U)
        return (byte & 0xC0U) == 0x80U ? 0 : 0.84;
    if (in(" ijlI|'.,:;/\\!", c))
        return 0.36;
    if (in("ftr-()[]\"`", c))
        return 0.47;
    if (in("mwMW%@+=<>~^#&", c))
        return in("W%@m", c) ? 1 : 0.87;
    return c >= 'A' && c <= 'Z' ? 0.79 : 0.645;
}

} // namespace detail

/// An upper estimate of the width of a text, in pixels: the reader's font is not known, so the
/// widths are those of DejaVu Sans, which is wider than other usual fonts without serifs.
inline double text_width(std::string_view text, Font font = plain_font) {
    double width = 0;
    for (const char c : text)
        width += detail::width_of_char(c);
    return width * font.size * (font.is_bold ? 1.15 : 1);
}

/// The width of the widest text.
inline double widest(const std::vector<std::string>& texts, Font font = plain_font) {
    double width = 0;
    for (const std::string& text : texts)
        width = std::max(width, text_width(text, font));
    return width;
}

/// Text broken at spaces into lines of at most `most` pixels. A longer word stays whole.
inline std::vector<std::string> wrapped(std::string_view words, double most,
                                        Font font = plain_font) {
    std::vector<std::string> lines{""};
    while (!words.empty()) {
        const std::size_t end = std::min(words.find(' '), words.size());
        const std::string word(words.substr(0, end));
        words.remove_prefix(std::min(end + 1, words.size()));
        std::string& line = lines.back();
        if (!line.empty() && text_width(line + ' ' + word, font) > most)
            lines.push_back(word);
        else
            line += (line.empty() ? "" : " ") + word;
    }
    return lines;
}

} // namespace bench::report
