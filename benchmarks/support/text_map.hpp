// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wva_metrics/cache/detail/short_text.hpp>

#include <boost/container_hash/hash.hpp>
#include <boost/unordered/concurrent_flat_map.hpp>

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

/// Boost's concurrent map with text keys and the cache's hash.
namespace bench {

/// The default hash of Boost's maps.
struct BoostTextHash : boost::hash<std::string_view> {
    using is_transparent = void;
    /// Avalanching, like Boost's hash of strings.
    using is_avalanching = void;
};

/// The cache's hash.
struct TextHash {
    using is_transparent = void;
    /// Avalanching, so the maps need not mix the bits again.
    using is_avalanching = void;
    std::size_t operator()(std::string_view text) const noexcept {
        return static_cast<std::size_t>(wva_metrics::detail::hash_text(0, text));
    }
};

template <typename Value>
using ConcurrentMap = boost::concurrent_flat_map<std::string, Value, TextHash, std::equal_to<>>;

} // namespace bench
