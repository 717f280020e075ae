// expect: MetricsCache.*cache.erase_prefix.prefix
// SPDX-License-Identifier: Apache-2.0
//
// A cache that lacks one function is refused, and the compiler names it.
#include "wva_metrics/concepts.hpp"

using namespace wva_metrics;

struct PlainCache {
    template <typename Visitor>
    bool visit(const CacheKeyView&, TimePoint, Visitor&&);
    CacheEntryPtr find(const CacheKeyView&, TimePoint);
    void insert_or_assign(const CacheKeyView&, CacheEntryPtr);
    bool erase(const CacheKeyView&);
    std::size_t erase_expired(TimePoint);
    void clear();
    std::size_t size() const;
    CacheStats stats() const;
};

static_assert(MetricsCache<PlainCache>);
