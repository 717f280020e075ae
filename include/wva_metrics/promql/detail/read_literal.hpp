// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/promql/quote.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace wva_metrics::promql::detail {

/// An error in a text that a person wrote, with its position.
inline Error literal_error(std::string_view text, std::size_t at, const std::string& what) {
    std::string message = what + " at offset " + std::to_string(at);
    message += at == text.size() ? ", where the text ends" : " of " + std::to_string(text.size());
    return {Errc::invalid_argument, std::move(message)};
}

/// Appends a character as UTF-8. `code` must be valid.
inline void append_utf8(std::string& out, std::uint32_t code) {
    const auto add = [&out](std::uint32_t byte) { out += static_cast<char>(byte); };
    const auto rest = [&](unsigned shift) { add(0x80U | ((code >> shift) & 0x3FU)); };
    if (code < 0x80U) {
        add(code);
    } else if (code < 0x800U) {
        add(0xC0U | (code >> 6U));
        rest(0);
    } else if (code < 0x10000U) {
        add(0xE0U | (code >> 12U));
        rest(6);
        rest(0);
    } else {
        add(0xF0U | (code >> 18U));
        rest(12);
        rest(6);
        rest(0);
    }
}

/// A number of exactly `digits` digits at the beginning of a text.
inline std::optional<std::uint32_t> read_number(std::string_view text, std::size_t digits,
                                                std::uint32_t base) {
    if (text.size() < digits)
        return std::nullopt;
    std::uint32_t number = 0;
    for (const char c : text.substr(0, digits)) {
        const char lower = c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
        const std::size_t digit = hex_digits.find(lower);
        if (digit >= base)
            return std::nullopt;
        number = number * base + static_cast<std::uint32_t>(digit);
    }
    return number;
}

/// Appends the meaning of an escape sequence, of which `escape` is the text after the backslash.
/// Returns the length of the sequence without the backslash; 0 if it is not valid.
inline std::size_t read_escape(std::string& out, std::string_view escape, char quote) {
    constexpr std::string_view names = "abfnrtv\\";
    constexpr std::string_view meanings = "\a\b\f\n\r\t\v\\";
    if (escape.empty())
        return 0;
    const char kind = escape.front();
    if (const std::size_t named = names.find(kind); named != std::string_view::npos) {
        out += meanings[named];
        return 1;
    }
    if (kind == quote) {
        out += quote;
        return 1;
    }
    const auto bytes = [&](std::string_view digits, std::size_t count, std::uint32_t base) {
        const auto byte = read_number(digits, count, base);
        if (!byte || *byte > 0xFFU)
            return false;
        out += static_cast<char>(*byte);
        return true;
    };
    if (kind == 'x')
        return bytes(escape.substr(1), 2, 16) ? 3 : 0;
    if (kind == 'u' || kind == 'U') {
        const std::size_t digits = kind == 'u' ? 4 : 8;
        const auto code = read_number(escape.substr(1), digits, 16);
        if (!code || *code > 0x10FFFFU || (*code >= 0xD800U && *code < 0xE000U))
            return 0;
        append_utf8(out, *code);
        return 1 + digits;
    }
    return bytes(escape, 3, 8) ? 3 : 0;
}

/// Reads a string literal of PromQL that begins at offset `at`, and sets `at` to its end. The rules
/// are those of Prometheus' own lexer. The result is valid UTF-8.
inline Result<std::string> read_literal(std::string_view text, std::size_t& at) {
    const std::size_t first = at;
    const char quote = at < text.size() ? text[at] : '\0';
    if (quote != '"' && quote != '\'' && quote != '`')
        return literal_error(text, at, "expected a value in quotes");
    std::string value;
    for (++at; at < text.size() && text[at] != quote;) {
        if (quote != '`' && text[at] == '\n')
            return literal_error(text, at, "a line break in a value must be written as \\n");
        if (quote == '`' || text[at] != '\\') {
            value += text[at++];
            continue;
        }
        const std::size_t length = read_escape(value, text.substr(at + 1), quote);
        if (length == 0)
            return literal_error(text, at, "unknown escape sequence");
        at += 1 + length;
    }
    if (at == text.size())
        return literal_error(text, first, "a value has no closing quote; it begins");
    ++at;
    if (const auto invalid = find_invalid_utf8(value))
        return literal_error(text, first,
                             "the value is not valid UTF-8 (" +
                                 invalid_utf8_error(value, *invalid).message + "); it begins");
    return value;
}

} // namespace wva_metrics::promql::detail
