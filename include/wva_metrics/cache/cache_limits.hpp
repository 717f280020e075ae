// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/config.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace wva_metrics {

/// The bounds of a cache. It evicts entries when either bound is exceeded; the order of eviction
/// depends on the cache. Check them with `validate`.
struct CacheLimits {
    /// The defaults of `CacheConfig`.
    CacheLimits() : CacheLimits(CacheConfig{}) {}
    /// Sets both bounds.
    CacheLimits(std::size_t entries, std::size_t bytes) : max_entries(entries), max_bytes(bytes) {}
    /// Implicit, so that a cache can be constructed from the configuration.
    CacheLimits(const CacheConfig& config)
        : max_entries(config.max_entries), max_bytes(config.max_bytes) {}

    /// Maximum number of entries.
    std::size_t max_entries;
    /// Maximum memory of the entries, with their keys and attributions; an estimate, see the README of
    /// this folder.
    std::size_t max_bytes;
};

/// The problems of the limits, one sentence each; empty if they are valid.
inline std::vector<std::string> validate(const CacheLimits& limits) {
    std::vector<std::string> problems;
    if (limits.max_entries == 0)
        problems.emplace_back("max_entries must be positive; to keep nothing use NoOpCache");
    if (limits.max_bytes == 0)
        problems.emplace_back("max_bytes must be positive; to keep nothing use NoOpCache");
    return problems;
}

namespace detail {

/// The limits of each of `count` parts, rounded up.
inline CacheLimits share_of(const CacheLimits& limits, std::size_t count) noexcept {
    const auto part = [count](std::size_t bound) {
        return bound / count + (bound % count == 0 ? 0 : 1);
    };
    return {part(limits.max_entries), part(limits.max_bytes)};
}

} // namespace detail
} // namespace wva_metrics
