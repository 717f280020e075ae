// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/cache/cache_key.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace wva_metrics {

/// True if the text form of a key, `to_string(key)`, begins with `prefix`. Does not build the text.
///
/// The prefix may end anywhere, also inside the kind or inside an escape. For implementers of a
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

/// A prefix that includes the whole namespace: `replica:llm/`, `replica:llm/meta-`.
struct NamespacePrefix {
    /// The kind of the keys.
    EntryKind kind;
    /// The namespace of the keys, unescaped.
    std::string namespace_name;
    /// The beginning of the keys' names; empty for all names.
    std::string_view name_prefix;
};

/// The parts of a prefix; empty if the prefix ends before the namespace does, or if no key begins
/// with it. The result refers to `prefix`. For implementers of a cache.
inline std::optional<NamespacePrefix> split_prefix(std::string_view prefix) {
    for (const EntryKind kind :
         {EntryKind::optimizer, EntryKind::replica, EntryKind::availability}) {
        const std::string_view word = to_string(kind);
        if (!prefix.starts_with(word) || !prefix.substr(word.size()).starts_with(':'))
            continue;
        prefix.remove_prefix(word.size() + 1);
        const std::size_t end = prefix.find('/');
        if (end == std::string_view::npos)
            return std::nullopt;
        NamespacePrefix parts{kind, {}, prefix.substr(end + 1)};
        for (std::size_t i = 0; i < end; ++i) {
            if (prefix[i] != '%') {
                parts.namespace_name += prefix[i];
                continue;
            }
            const std::string_view escape = prefix.substr(i, 3);
            if (escape != "%2F" && escape != "%25")
                return std::nullopt;
            parts.namespace_name += escape == "%2F" ? '/' : '%';
            i += 2;
        }
        return parts;
    }
    return std::nullopt;
}

} // namespace wva_metrics
