// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/clean_text.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace wva_metrics::prometheus::detail {

// The library's text helpers, by their short names.
using wva_metrics::detail::clean_text;
using wva_metrics::detail::contains_ignoring_case;
using wva_metrics::detail::cut_text;
using wva_metrics::detail::is_same_name;

/// As `clean_text`, but a long text keeps its end too, because errors often have their cause there.
inline std::string clean_middle(std::string_view text, std::size_t max_bytes) {
    if (text.size() <= max_bytes)
        return clean_text(text, max_bytes);
    const std::size_t half = max_bytes / 2;
    std::size_t begin = text.size() - half;
    // Not in the middle of a UTF-8 character.
    while (begin < text.size() && (static_cast<unsigned char>(text[begin]) & 0xC0U) == 0x80)
        ++begin;
    return clean_text(text, half) + clean_text(text.substr(begin), half);
}

} // namespace wva_metrics::prometheus::detail
