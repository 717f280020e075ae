// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/promql/utf8.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace wva_metrics::prometheus::detail {

/// The longest part of at most `max_bytes` that ends between two UTF-8 characters.
inline std::string_view cut_text(std::string_view text, std::size_t max_bytes) noexcept {
    if (text.size() <= max_bytes)
        return text;
    std::size_t end = max_bytes;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80)
        --end;
    return text.substr(0, end);
}

/// Somebody else's text made fit for one line of a log: at most `max_bytes`, control characters
/// replaced by spaces and bytes that are not UTF-8 by question marks. Text that is cut ends in
/// `...` within the bound.
inline std::string clean_text(std::string_view text, std::size_t max_bytes) {
    constexpr std::string_view ellipsis = "...";
    // A text that is merely long is not searched to its end.
    const bool is_cut = text.size() > max_bytes;
    std::string clean(is_cut ? cut_text(text, max_bytes - std::min(max_bytes, ellipsis.size()))
                             : text);
    for (std::size_t at = 0; at < clean.size();) {
        const auto invalid = promql::find_invalid_utf8(std::string_view(clean).substr(at));
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
            // The control characters U+0080..U+009F, which some terminals obey.
            clean[i] = ' ';
            clean[i + 1] = ' ';
        }
    }
    if (is_cut)
        clean += ellipsis;
    return clean;
}

/// Does `text` contain `part`, whatever the case of its ASCII letters? `part` must be in lower
/// case.
inline bool contains_ignoring_case(std::string_view text, std::string_view part) noexcept {
    const auto lower = [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    };
    return std::search(text.begin(), text.end(), part.begin(), part.end(),
                       [&](char a, char b) { return lower(a) == b; }) != text.end();
}

} // namespace wva_metrics::prometheus::detail
