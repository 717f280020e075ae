// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/cache/cache_key.hpp"

#include <cstddef>

namespace wva_metrics::detail {

/// A key with its hash, so that a look-up need not compute it.
class HashedKey {
public:
    explicit HashedKey(const CacheKeyView& key) : key_(key), hash_(CacheKeyHash()(key)) {}

    CacheKeyView key() const noexcept { return key_; }
    std::size_t hash() const noexcept { return hash_; }

private:
    const CacheKey key_;
    const std::size_t hash_;
};

/// The same for a look-up. Valid as long as the view.
class HashedKeyView {
public:
    explicit HashedKeyView(const CacheKeyView& key) noexcept
        : key_(key), hash_(CacheKeyHash()(key)) {}

    const CacheKeyView& key() const noexcept { return key_; }
    std::size_t hash() const noexcept { return hash_; }

private:
    const CacheKeyView key_;
    const std::size_t hash_;
};

} // namespace wva_metrics::detail
