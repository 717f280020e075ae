// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/testing/detail/promql/series_store.hpp"

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace wva_metrics::testing::detail {

/// Parses `12`, `.5`, `1e-3`, `0x1F`; empty if the text is not a number.
inline std::optional<double> parse_number(std::string_view text) {
    if (text.starts_with("0x") || text.starts_with("0X")) {
        std::uint64_t value = 0;
        const auto [end, failure] =
            std::from_chars(text.data() + 2, text.data() + text.size(), value, 16);
        if (failure != std::errc() || end != text.data() + text.size())
            return std::nullopt;
        return static_cast<double>(value);
    }
    double value = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    // from_chars also accepts words such as `inf`, which are identifiers here.
    const bool is_digits = !text.empty() && (text.front() == '.' || text.front() <= '9');
    if (!is_digits || failure != std::errc() || end != text.data() + text.size())
        return std::nullopt;
    return value;
}

/// Parses durations such as `1h30m`, units from large to small; empty if the text is not one.
inline std::optional<Milliseconds> parse_duration(std::string_view text) {
    constexpr Milliseconds second = 1000;
    constexpr Milliseconds day = second * 3600 * 24;
    constexpr std::array<std::pair<std::string_view, Milliseconds>, 7> units = {{
        {"y", 365 * day},
        {"w", 7 * day},
        {"d", day},
        {"h", 3600 * second},
        {"m", 60 * second},
        {"s", second},
        {"ms", 1},
    }};
    if (text.empty())
        return std::nullopt;
    Milliseconds total = 0;
    std::size_t next_unit = 0;
    while (!text.empty()) {
        Milliseconds count = 0;
        const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), count);
        if (failure != std::errc() || text.front() == '-')
            return std::nullopt;
        text.remove_prefix(static_cast<std::size_t>(end - text.data()));
        std::size_t letters = 0;
        while (letters < text.size() && (text[letters] < '0' || text[letters] > '9'))
            ++letters;
        while (next_unit < units.size() && units[next_unit].first != text.substr(0, letters))
            ++next_unit;
        if (next_unit == units.size())
            return std::nullopt;
        const Milliseconds unit = units[next_unit++].second;
        if (count > (std::numeric_limits<Milliseconds>::max() / 2 - total) / unit)
            return std::nullopt;
        total += count * unit;
        text.remove_prefix(letters);
    }
    return total;
}

inline void append_utf8(std::string& out, std::uint32_t code_point) {
    const auto put = [&out](std::uint32_t byte) { out += static_cast<char>(byte); };
    if (code_point < 0x80) {
        put(code_point);
    } else if (code_point < 0x800) {
        put(0xC0U | (code_point >> 6U));
        put(0x80U | (code_point & 0x3FU));
    } else if (code_point < 0x10000) {
        put(0xE0U | (code_point >> 12U));
        put(0x80U | ((code_point >> 6U) & 0x3FU));
        put(0x80U | (code_point & 0x3FU));
    } else {
        put(0xF0U | (code_point >> 18U));
        put(0x80U | ((code_point >> 12U) & 0x3FU));
        put(0x80U | ((code_point >> 6U) & 0x3FU));
        put(0x80U | (code_point & 0x3FU));
    }
}

struct ParsedString {
    std::string text;
    /// Number of bytes read, quotes included.
    std::size_t length = 0;
    /// Why the literal is invalid; empty if it is valid.
    std::string error;
};

/// Parses the escape sequence behind a backslash, at the start of `rest`. Returns its number of
/// bytes, or 0 with the reason in `error`.
inline std::size_t parse_escape(std::string_view rest, char quote, ParsedString& into) {
    constexpr std::string_view letters = "abfnrtv\\";
    constexpr std::string_view meanings = "\a\b\f\n\r\t\v\\";
    if (rest.empty()) {
        into.error = "escape sequence not terminated";
        return 0;
    }
    const char c = rest.front();
    if (const std::size_t simple = letters.find(c); simple != std::string_view::npos) {
        into.text += meanings[simple];
        return 1;
    }
    if (c == quote) {
        into.text += c;
        return 1;
    }
    const bool octal = c >= '0' && c <= '7';
    const std::size_t skip = octal ? 0 : 1;
    const std::size_t digits = octal ? 3 : c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
    const std::string_view text = rest.substr(skip, digits);
    std::uint32_t value = 0;
    const auto [end, failure] =
        std::from_chars(text.data(), text.data() + text.size(), value, octal ? 8 : 16);
    if (digits == 0 || text.size() < digits || failure != std::errc() ||
        end != text.data() + digits) {
        into.error = std::string("unknown escape sequence '\\") + c + '\'';
        return 0;
    }
    if (octal || c == 'x') {
        if (value > 0xFF) {
            into.error = "escape sequence is larger than a byte";
            return 0;
        }
        into.text += static_cast<char>(value);
    } else if (value > 0x10FFFF || (value >= 0xD800 && value < 0xE000)) {
        into.error = "escape sequence is an invalid Unicode code point";
        return 0;
    } else {
        append_utf8(into.text, value);
    }
    return skip + digits;
}

/// Parses a string in double or single quotes, with Go's escape sequences, or in backquotes,
/// without them. `text` starts with `quote`.
inline ParsedString parse_string_literal(std::string_view text, char quote) {
    constexpr std::string_view replacement_character = "\xEF\xBF\xBD";
    ParsedString parsed;
    std::size_t at = 1;
    while (at < text.size() && text[at] != quote) {
        if (quote != '`' && text[at] == '\n')
            break;
        if (text.substr(at, 3) == replacement_character) {
            parsed.error = "invalid UTF-8 rune";
            return parsed;
        }
        if (quote != '`' && text[at] == '\\') {
            const std::size_t used = parse_escape(text.substr(at + 1), quote, parsed);
            if (used == 0)
                return parsed;
            at += 1 + used;
        } else {
            parsed.text += text[at++];
        }
    }
    if (at >= text.size() || text[at] != quote)
        parsed.error = quote == '`' ? "unterminated raw string" : "unterminated quoted string";
    parsed.length = at + 1;
    return parsed;
}

} // namespace wva_metrics::testing::detail
