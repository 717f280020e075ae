// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace wva_metrics::detail {

/// The Damerau-Levenshtein distance: the number of letters that must be inserted, removed, replaced
/// or swapped with their neighbour to change one name into the other.
inline std::size_t edit_distance(std::string_view left, std::string_view right) {
    const std::size_t width = right.size() + 1;
    // A swap reads the row before the previous one, so three rows are kept.
    std::vector<std::size_t> before(width);
    std::vector<std::size_t> above(width);
    std::vector<std::size_t> row(width);
    for (std::size_t j = 0; j < width; ++j)
        row[j] = j;
    for (std::size_t i = 1; i <= left.size(); ++i) {
        before.swap(above);
        above.swap(row);
        row[0] = i;
        for (std::size_t j = 1; j < width; ++j) {
            const bool same = left[i - 1] == right[j - 1];
            row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (same ? 0U : 1U)});
            if (i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1])
                row[j] = std::min(row[j], before[j - 2] + 1);
        }
    }
    return row.back();
}

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
