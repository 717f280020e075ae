// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/utf8.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace wva_metrics::detail {

/// Compares two names. Faster than `memcmp` for short texts: for 4 to 16 bytes, two loads, which
/// may overlap, cover the whole text.
inline bool is_same_name(std::string_view a, std::string_view b) noexcept {
    const std::size_t size = a.size();
    if (size != b.size())
        return false;
    const auto same_at = [&]<typename Word>(std::size_t at, Word) {
        Word of_a;
        Word of_b;
        std::memcpy(&of_a, a.data() + at, sizeof(Word));
        std::memcpy(&of_b, b.data() + at, sizeof(Word));
        return of_a == of_b;
    };
    if (size >= 4 && size < 8)
        return same_at(0, std::uint32_t()) && same_at(size - 4, std::uint32_t());
    if (size >= 8 && size <= 16)
        return same_at(0, std::uint64_t()) && same_at(size - 8, std::uint64_t());
    return a == b;
}

/// The longest prefix of at most `max_bytes` that does not split a UTF-8 character.
inline std::string_view cut_text(std::string_view text, std::size_t max_bytes) noexcept {
    if (text.size() <= max_bytes)
        return text;
    std::size_t end = max_bytes;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80)
        --end;
    return text.substr(0, end);
}

/// The length of the character at the beginning of the text, if it is one that people do not see but
/// a terminal or an editor obeys: a control character, the end of a line or paragraph, or a
/// character that turns the direction of writing. Else 0.
inline std::size_t invisible_control(std::string_view text) noexcept {
    const auto byte = [text](std::size_t i) {
        return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
    };
    const unsigned first = byte(0);
    if (first < 0x20 || first == 0x7F)
        return 1;
    // U+0080 to U+009F, and U+061C.
    if ((first == 0xC2 && byte(1) < 0xA0) || (first == 0xD8 && byte(1) == 0x9C))
        return 2;
    // U+200E, U+200F, U+2028 to U+202E, and U+2066 to U+2069.
    const unsigned last = byte(2);
    if (first == 0xE2 && byte(1) == 0x80 &&
        (last == 0x8E || last == 0x8F || (last >= 0xA8 && last <= 0xAE)))
        return 3;
    return first == 0xE2 && byte(1) == 0x81 && last >= 0xA6 && last <= 0xA9 ? 3 : 0;
}

/// Makes untrusted text safe for one line of a log: at most `max_bytes`, with spaces instead of
/// control characters (see `invisible_control`) and question marks instead of invalid UTF-8. Text
/// that is cut ends with `...`, within the limit.
inline std::string clean_text(std::string_view text, std::size_t max_bytes) {
    constexpr std::string_view ellipsis = "...";
    // Cut first, so that the time does not depend on the length of the text.
    const bool is_cut = text.size() > max_bytes;
    std::string clean(is_cut ? cut_text(text, max_bytes - std::min(max_bytes, ellipsis.size()))
                             : text);
    for (std::size_t at = 0; at < clean.size();) {
        const auto invalid =
            wva_metrics::detail::find_invalid_utf8(std::string_view(clean).substr(at));
        if (!invalid)
            break;
        at += *invalid;
        clean[at++] = '?';
    }
    for (std::size_t i = 0; i < clean.size(); ++i)
        if (const std::size_t length = invisible_control(std::string_view(clean).substr(i)))
            std::fill_n(clean.begin() + static_cast<std::ptrdiff_t>(i), length, ' ');
    if (is_cut)
        clean += ellipsis;
    return clean;
}

/// True if `text` contains `part`, in any case of ASCII letters. `part` must be in lower case.
inline bool contains_ignoring_case(std::string_view text, std::string_view part) noexcept {
    const auto lower = [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    };
    return std::search(text.begin(), text.end(), part.begin(), part.end(),
                       [&](char a, char b) { return lower(a) == b; }) != text.end();
}

} // namespace wva_metrics::detail
