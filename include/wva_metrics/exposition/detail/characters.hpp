// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace wva_metrics::exposition::detail {

enum CharacterKind : std::uint8_t {
    name_start = 1,  ///< Begins a metric's name.
    name_part = 2,   ///< Continues one.
    label_start = 4, ///< Begins a label's name.
    label_part = 8,  ///< Continues one.
};

/// The kinds of all bytes.
inline constexpr std::array<std::uint8_t, 256> character_kinds = [] {
    std::array<std::uint8_t, 256> kinds{};
    for (unsigned c = 0; c < 256; ++c) {
        const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        const bool is_digit = c >= '0' && c <= '9';
        unsigned kind = 0;
        if (is_letter)
            kind = name_start | name_part | label_start | label_part;
        else if (is_digit)
            kind = name_part | label_part;
        else if (c == ':')
            kind = name_start | name_part;
        kinds[c] = static_cast<std::uint8_t>(kind);
    }
    return kinds;
}();

constexpr bool is_kind(char c, CharacterKind kind) noexcept {
    return (character_kinds[static_cast<unsigned char>(c)] & kind) != 0;
}

constexpr bool is_blank(char c) noexcept {
    return c == ' ' || c == '\t';
}

/// True for a name that needs no quotes: of a metric (`name_start`), or of a label (`label_start`).
constexpr bool is_plain_name(std::string_view name, CharacterKind start) noexcept {
    if (name.empty() || !is_kind(name.front(), start))
        return false;
    for (const char c : name)
        if (!is_kind(c, start == name_start ? name_part : label_part))
            return false;
    return true;
}

} // namespace wva_metrics::exposition::detail
