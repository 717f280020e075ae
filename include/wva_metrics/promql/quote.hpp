// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/metric_names.hpp"
#include "wva_metrics/detail/utf8.hpp"
#include "wva_metrics/error.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace wva_metrics::promql {

namespace detail {

inline constexpr std::string_view hex_digits = "0123456789abcdef";

inline Error invalid_utf8_error(std::string_view text, std::size_t at) {
    const auto byte = static_cast<unsigned char>(text[at]);
    std::string message = "text is not valid UTF-8: byte 0x";
    message += hex_digits[byte >> 4U];
    message += hex_digits[byte & 0xFU];
    message += " at offset " + std::to_string(at) + " of " + std::to_string(text.size());
    return {Errc::invalid_argument, std::move(message)};
}

/// What stands between the quotes. The text must be valid UTF-8.
inline void append_escaped(std::string& out, std::string_view text) {
    // Prometheus' lexer takes a replacement character for a decoding error, although it is a
    // character like any other; escaped, it passes.
    constexpr std::string_view replacement_character = "\xEF\xBF\xBD";
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (c == '\n') {
            out += "\\n";
        } else if (byte < 0x20 || byte == 0x7F) {
            out += "\\x";
            out += hex_digits[byte >> 4U];
            out += hex_digits[byte & 0xFU];
        } else if (text.substr(i, 3) == replacement_character) {
            out += "\\ufffd";
            i += 2;
        } else {
            out += c;
        }
    }
}

inline void append_regex_escaped(std::string& out, std::string_view text) {
    for (const char c : text) {
        // Exactly RE2's metacharacters. `\-` or `\/` would mean the same and only make the text
        // longer; before a letter a backslash would mean something else.
        if (std::string_view("\\.+*?()|[]{}^$").find(c) != std::string_view::npos)
            out += '\\';
        out += c;
    }
}

} // namespace detail

/// A PromQL string literal, quotes included, whose value is exactly `text`.
///
/// Any valid UTF-8 will do, control characters and NUL included; it always fits on one line.
/// Anything else is refused with `Errc::invalid_argument`, naming the byte: Prometheus has no label
/// value like it.
inline Result<std::string> quote(std::string_view text) {
    if (const auto at = wva_metrics::detail::find_invalid_utf8(text))
        return detail::invalid_utf8_error(text, *at);
    std::string literal;
    literal.reserve(text.size() + 2);
    literal += '"';
    detail::append_escaped(literal, text);
    literal += '"';
    return literal;
}

/// A regular expression (RE2) that matches exactly `text`. Not yet a string literal: it goes
/// through `quote`, alone or joined with others. Refuses what `quote` refuses.
inline Result<std::string> quote_regex(std::string_view text) {
    if (const auto at = wva_metrics::detail::find_invalid_utf8(text))
        return detail::invalid_utf8_error(text, *at);
    std::string expression;
    expression.reserve(text.size() + 8);
    detail::append_regex_escaped(expression, text);
    return expression;
}

} // namespace wva_metrics::promql
