// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/edit_distance.hpp"

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace wva_metrics::detail {

/// A name in lower case and without separators: `fetchInterval`, `fetch-interval` and
/// `FETCH_INTERVAL` all become `fetchinterval`.
inline std::string without_style(std::string_view name) {
    std::string plain;
    for (const char c : name)
        if (c != '_' && c != '-' && c != ' ')
            plain += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return plain;
}

/// The known names that are nearest to a misspelled name, in their order; empty if none is near
/// enough for a typing error.
inline std::vector<std::string_view> nearest_names(std::string_view name,
                                                   std::span<const std::string_view> known) {
    // The time is quadratic, and no field has such a long name.
    constexpr std::size_t longest = 100;
    std::vector<std::string_view> nearest;
    if (name.empty() || name.size() > longest)
        return nearest;
    const std::string plain = without_style(name);
    std::size_t best = 1 + name.size() / 4;
    for (const std::string_view candidate : known) {
        const std::size_t distance = std::min(edit_distance(name, candidate),
                                              edit_distance(plain, without_style(candidate)));
        // At least one letter of the name must be left.
        if (distance > best || distance >= candidate.size())
            continue;
        if (distance < best)
            nearest.clear();
        best = distance;
        nearest.push_back(candidate);
    }
    return nearest;
}

/// `"a"`, `"a" or "b"`, `"a", "b" or "c"`.
inline std::string quoted_alternatives(std::span<const std::string_view> names) {
    std::string text;
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (i > 0)
            text += i + 1 == names.size() ? " or " : ", ";
        text += '"';
        text += names[i];
        text += '"';
    }
    return text;
}

} // namespace wva_metrics::detail
