// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/http/form_encoding.hpp"

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace wva_metrics::scrape::detail {

/// The longest path that asks for names. Servers accept 8 KiB for the whole request line.
inline constexpr std::size_t max_named_path = 6000;

/// True if the query of a path has `name[]` already: whoever configured it has chosen the metrics.
inline bool has_names(std::string_view path) {
    std::string_view query = path.substr(std::min(path.find('?'), path.size()));
    while (!query.empty()) {
        query.remove_prefix(1); // "?" or "&"
        const std::string_view part = query.substr(0, query.find('&'));
        if (http::decode_percent(part.substr(0, part.find('='))) == "name[]")
            return true;
        query.remove_prefix(part.size());
    }
    return false;
}

/// Path and query that ask for the samples with these names. Empty if they should not be asked for:
/// there are none or too many, or the query has some already.
inline std::string named_path(const std::string& path, std::span<const std::string> names) {
    if (names.empty() || has_names(path))
        return {};
    std::string asked = path;
    char separator = path.find('?') == std::string::npos ? '?' : '&';
    // "/metrics?" and "/metrics?a=b&" are complete as they are.
    if (separator == '&' && (path.ends_with('?') || path.ends_with('&')))
        separator = '\0';
    for (const std::string& name : names) {
        if (separator != '\0')
            asked += separator;
        separator = '&';
        asked += "name%5B%5D=";
        http::append_form_encoded(asked, name);
        if (asked.size() > max_named_path)
            return {};
    }
    return asked;
}

} // namespace wva_metrics::scrape::detail
