// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/clean_text.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace wva_metrics::detail {

/// Text from a document for use in a message: in quotes, short, without control characters.
inline std::string quoted(std::string_view text) {
    constexpr std::size_t longest = 60;
    return '"' + wva_metrics::detail::clean_text(text, longest) + '"';
}

/// The path of a field inside an object, for messages.
inline std::string join_path(std::string_view object, std::string_view name) {
    const bool is_word =
        !name.empty() && name.size() <= 60 && std::all_of(name.begin(), name.end(), [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                   c == '_' || c == '-';
        });
    std::string path(object);
    if (!path.empty())
        path += '.';
    path += is_word ? std::string(name) : quoted(name);
    return path;
}

/// The path of an item of a list, for messages.
inline std::string item_path(std::string_view list, std::size_t index) {
    return std::string(list) + '[' + std::to_string(index) + ']';
}

} // namespace wva_metrics::detail
