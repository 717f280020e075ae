// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/cache/cache_entry.hpp"
#include "wva_metrics/cache/cache_key.hpp"
#include "wva_metrics/cache/cache_limits.hpp"
#include "wva_metrics/cache/cache_stats.hpp"

#include <concepts>
#include <cstddef>
#include <memory>
#include <string_view>

namespace wva_metrics {

/// A cache of backend answers.
///
/// Satisfied by a class with these functions. A cache has no clock, timer or thread: the caller
/// passes `now`. An expired entry (`CacheEntry::is_expired`) counts as absent.
///
/// Which cache to choose:
/// - `MemoryCache` for most programs: exact LRU behind one mutex, and least to understand.
/// - `ShardedCache` if many threads read concurrently, or if namespaces are invalidated often.
/// - `NoOpCache` if every answer has to come from the backend, or in a test.
///
/// **Threads:** safe.
template <typename T>
concept MetricsCache = requires(T& cache, const T& const_cache, const CacheKeyView& key,
                                TimePoint now, CacheEntryPtr entry, std::string_view prefix,
                                void (&reader)(const CacheEntry&)) {
    { cache.visit(key, now, reader) } -> std::same_as<bool>;
    { cache.find(key, now) } -> std::same_as<CacheEntryPtr>;
    cache.insert_or_assign(key, entry);
    { cache.erase(key) } -> std::same_as<bool>;
    { cache.erase_prefix(prefix) } -> std::same_as<std::size_t>;
    { cache.erase_expired(now) } -> std::same_as<std::size_t>;
    cache.clear();
    { const_cache.size() } -> std::same_as<std::size_t>;
    { const_cache.stats() } -> std::same_as<CacheStats>;
};

/// A cache that can remove the entries of a prefix that satisfy a predicate, as `erase_prefix` does
/// all of them. Optional: without `erase_prefix_if`, `Collector::invalidate_model` removes the
/// variants of all models of the namespace.
template <typename T>
concept SelectiveCache = MetricsCache<T> &&
    requires(T& cache, std::string_view prefix, bool (&matches)(const CacheEntry&)) {
    { cache.erase_prefix_if(prefix, matches) } -> std::same_as<std::size_t>;
};

/// A cache whose bounds can be changed while it is used. Optional: without `set_limits`,
/// `Collector::reconfigure` rejects a change of the bounds.
template <typename T>
concept ResizableCache = MetricsCache<T> && requires(T& cache, const CacheLimits& limits) {
    cache.set_limits(limits);
};

/// A cache with cells. A cell is the place of one key: `visit` and `find` with it do what they do with
/// the key, and need not search. Optional: without cells, a collector's handles search by key.
///
/// `cell(key)` may be null, for example if there are too many. A cell outlasts the entries of its key:
/// it finds what is stored under the key at the time of the call. It may be used with the cache that
/// gave it, by any thread, as long as that cache exists, and be destroyed at any time.
template <typename T>
concept CellCache = MetricsCache<T> &&
    requires(T& cache, const CacheKeyView& key, typename T::Cell& cell, TimePoint now,
             void (&reader)(const CacheEntry&)) {
    { cache.cell(key) } -> std::same_as<std::shared_ptr<typename T::Cell>>;
    { cache.visit(cell, now, reader) } -> std::same_as<bool>;
    { cache.find(cell, now) } -> std::same_as<CacheEntryPtr>;
};

} // namespace wva_metrics
