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

/// Makes untrusted text safe for one line of a log: at most `max_bytes`, with spaces instead of
/// control characters and question marks instead of invalid UTF-8. Text that is cut ends with
/// `...`, within the limit.
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
    for (std::size_t i = 0; i < clean.size(); ++i) {
        const auto byte = static_cast<unsigned char>(clean[i]);
        if (byte < 0x20 || byte == 0x7F) {
            clean[i] = ' ';
        } else if (byte == 0xC2 && i + 1 < clean.size() &&
                   static_cast<unsigned char>(clean[i + 1]) < 0xA0) {
            // The control characters U+0080 to U+009F, which some terminals interpret.
            clean[i] = ' ';
            clean[i + 1] = ' ';
        }
    }
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
