// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/promql/detail/text.hpp"

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

/// Appends the contents of a string literal. `text` must be valid UTF-8.
inline void append_escaped(std::string& out, std::string_view text) {
    // Prometheus' lexer mistakes the replacement character U+FFFD for a decoding error, so it is
    // escaped.
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
        } else if (byte == 0xEF && text.substr(i, 3) == replacement_character) {
            out += "\\ufffd";
            i += 2;
        } else {
            out += c;
        }
    }
}

inline void append_regex_escaped(std::string& out, std::string_view text) {
    for (const char c : text) {
        // RE2's metacharacters only: a backslash before other punctuation is redundant, and before
        // a letter it has another meaning.
        if (std::string_view("\\.+*?()|[]{}^$").find(c) != std::string_view::npos)
            out += '\\';
        out += c;
    }
}

} // namespace detail

/// A PromQL string literal, including the quotes, whose value is exactly `text`. Always one line.
///
/// `text` may be any valid UTF-8, including control characters and NUL. Invalid UTF-8 is rejected
/// with `Errc::invalid_argument`, naming the byte: it cannot be a label value of Prometheus.
inline Result<std::string> quote(std::string_view text) {
    if (const auto at = detail::find_invalid_utf8(text))
        return detail::invalid_utf8_error(text, *at);
    std::string literal;
    literal.reserve(text.size() + 2);
    literal += '"';
    detail::append_escaped(literal, text);
    literal += '"';
    return literal;
}

/// A regular expression (RE2) that matches exactly `text`. It is not a string literal yet: apply
/// `quote` to it, alone or combined with others. Same errors as `quote`.
inline Result<std::string> quote_regex(std::string_view text) {
    if (const auto at = detail::find_invalid_utf8(text))
        return detail::invalid_utf8_error(text, *at);
    std::string expression;
    expression.reserve(text.size() + 8);
    detail::append_regex_escaped(expression, text);
    return expression;
}

} // namespace wva_metrics::promql
