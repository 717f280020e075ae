// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/config.hpp"

#include <cstddef>

namespace wva_metrics {

/// The bounds of a cache. It evicts entries when either bound is exceeded; the order of eviction
/// depends on the cache.
struct CacheLimits {
    /// The defaults of `CacheConfig`.
    CacheLimits() : CacheLimits(CacheConfig{}) {}
    /// Sets both bounds. If either is 0, the cache keeps nothing.
    CacheLimits(std::size_t entries, std::size_t bytes) : max_entries(entries), max_bytes(bytes) {}
    /// Implicit, so that a cache can be constructed from the configuration.
    CacheLimits(const CacheConfig& config)
        : max_entries(config.max_entries), max_bytes(config.max_bytes) {}

    /// Maximum number of entries.
    std::size_t max_entries;
    /// Maximum memory of the entries, as estimated by `CacheEntry::bytes`.
    std::size_t max_bytes;
};

} // namespace wva_metrics
