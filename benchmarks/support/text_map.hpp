// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wva_metrics/cache/detail/short_text.hpp>

#include <boost/container_hash/hash.hpp>
#include <boost/unordered/concurrent_flat_map.hpp>

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

/// Boost's concurrent map by keys of text, with the hash that the cache has.
namespace bench {

/// The hash that Boost's maps have by themselves.
struct BoostTextHash : boost::hash<std::string_view> {
    using is_transparent = void;
    /// As that of strings says of itself.
    using is_avalanching = void;
};

/// The hash that the cache has.
struct TextHash {
    using is_transparent = void;
    /// The maps need not mix once more.
    using is_avalanching = void;
    std::size_t operator()(std::string_view text) const noexcept {
        return static_cast<std::size_t>(wva_metrics::detail::hash_text(0, text));
    }
};

template <typename Value>
using ConcurrentMap = boost::concurrent_flat_map<std::string, Value, TextHash, std::equal_to<>>;

} // namespace bench
