// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/config.hpp"

#include <cstddef>

namespace wva_metrics {

/// How much a cache may keep. Whichever bound is reached first, the cache evicts by it; which
/// entries go is the cache's to say.
struct CacheLimits {
    /// The defaults of `CacheConfig`.
    CacheLimits() : CacheLimits(CacheConfig{}) {}
    /// Both bounds; 0 entries or bytes keep nothing.
    CacheLimits(std::size_t entries, std::size_t bytes) : max_entries(entries), max_bytes(bytes) {}
    /// Implicit, so that a cache can be made from the configuration itself.
    CacheLimits(const CacheConfig& config)
        : max_entries(config.max_entries), max_bytes(config.max_bytes) {}

    /// The most entries kept.
    std::size_t max_entries;
    /// As estimated by `CacheEntry::bytes`.
    std::size_t max_bytes;
};

} // namespace wva_metrics
