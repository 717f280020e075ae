// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/cache/cache_key.hpp"

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace wva_metrics {

/// Whether the text form of a key, `to_string(key)`, begins with `prefix`; no text is built.
///
/// The prefix may end anywhere, also inside the kind or inside an escape. For those who write a
/// cache.
inline bool starts_with(const CacheKeyView& key, std::string_view prefix) noexcept {
    const auto consume = [&prefix](std::string_view piece) {
        const std::size_t length = std::min(piece.size(), prefix.size());
        if (piece.substr(0, length) != prefix.substr(0, length))
            return false;
        prefix.remove_prefix(length);
        return true;
    };
    if (!consume(to_string(key.kind)) || !consume(":"))
        return false;
    for (const char& c : key.namespace_name) {
        if (prefix.empty())
            return true;
        const std::string_view written = c == '/'   ? std::string_view("%2F")
                                         : c == '%' ? std::string_view("%25")
                                                    : std::string_view(&c, 1);
        if (!consume(written))
            return false;
    }
    return consume("/") && consume(key.name) && prefix.empty();
}

} // namespace wva_metrics
