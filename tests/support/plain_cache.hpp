// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/cache/memory_cache.hpp"
#include "wva_metrics/cache/metrics_cache.hpp"

#include <cstddef>
#include <string_view>
#include <utility>

namespace wva_metrics::test_support {

/// A cache of a user's own, which has only what `MetricsCache` requires.
class PlainCache {
public:
    explicit PlainCache(const CacheConfig& config) : cache_(config) {}

    template <typename Visitor>
    bool visit(const CacheKeyView& key, TimePoint now, Visitor&& visitor) {
        return cache_.visit(key, now, std::forward<Visitor>(visitor));
    }
    CacheEntryPtr find(const CacheKeyView& key, TimePoint now) { return cache_.find(key, now); }
    void insert_or_assign(const CacheKeyView& key, CacheEntryPtr entry) {
        cache_.insert_or_assign(key, std::move(entry));
    }
    bool erase(const CacheKeyView& key) { return cache_.erase(key); }
    std::size_t erase_prefix(std::string_view prefix) { return cache_.erase_prefix(prefix); }
    std::size_t erase_expired(TimePoint now) { return cache_.erase_expired(now); }
    void clear() { cache_.clear(); }
    std::size_t size() const { return cache_.size(); }
    CacheStats stats() const { return cache_.stats(); }

private:
    MemoryCache cache_;
};
static_assert(MetricsCache<PlainCache> && !SelectiveCache<PlainCache> &&
              !ResizableCache<PlainCache> && !CellCache<PlainCache>);

} // namespace wva_metrics::test_support
