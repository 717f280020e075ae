// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/samples/view.hpp"

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace wva_metrics::samples::detail {

/// True for `host:port`.
inline bool is_address(std::string_view text) noexcept {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos || colon == 0 || colon + 1 == text.size())
        return false;
    return std::ranges::all_of(text.substr(colon + 1), [](char c) { return c >= '0' && c <= '9'; });
}

/// The first of these names that the labels have; empty if they have none.
inline std::string_view first_label(const Labels& labels,
                                    std::span<const std::string> names) noexcept {
    for (const std::string& name : names)
        if (!find_label(labels, name).empty())
            return name;
    return {};
}

/// The first value of these labels that is `host:port`; empty if none is.
inline std::string_view first_address(const Labels& labels,
                                      std::span<const std::string> names) noexcept {
    for (const std::string& name : names) {
        const std::string_view value = find_label(labels, name);
        if (is_address(value))
            return value;
    }
    return {};
}

/// True if all labels of `part` are among those of `whole`, with equal values.
inline bool contains_labels(const Labels& whole, const Labels& part) noexcept {
    return std::ranges::includes(whole, part);
}

/// Appends a text to a key so that different lists of texts make different keys. The size comes first,
/// because a text may hold any byte.
inline void append_with_size(std::string& key, std::string_view text) {
    for (std::size_t size = text.size(); size > 0; size >>= 7U)
        key += static_cast<char>(size & 0x7FU);
    key += '\xFF';
    key += text;
}

} // namespace wva_metrics::samples::detail
