// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/cache/cache_entry.hpp"
#include "wva_metrics/cache/cache_key.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

namespace wva_metrics::test_support {

/// More entries, or bytes, than any test stores.
inline constexpr std::size_t plenty = 100'000'000;

/// The smallest step of the clock.
inline constexpr Duration tick(1);

/// The moment that is `time` after the beginning of the test.
inline TimePoint at(std::chrono::milliseconds time) {
    return TimePoint(std::chrono::hours(1) + time);
}

/// An entry collected at `collected_at`, fresh for `ttl` and kept for `keep`, which holds
/// `text_bytes` bytes of text.
inline CacheEntryPtr make_entry(TimePoint collected_at, Duration ttl = std::chrono::seconds(30),
                                Duration keep = std::chrono::seconds(60),
                                std::size_t text_bytes = 0) {
    Availability payload;
    payload.message = std::string(text_bytes, 'x');
    return std::make_shared<const CacheEntry>(std::move(payload), collected_at, collected_at + ttl,
                                              collected_at + keep);
}

/// What a cache counts for an entry.
template <typename Cache>
std::size_t counted_bytes(const CacheEntryPtr& entry,
                          const CacheKeyView& key = optimizer_key("ns", "v")) {
    Cache cache;
    cache.insert_or_assign(key, entry);
    return cache.stats().bytes;
}

/// Stores an entry that was collected at the beginning of the test.
template <typename Cache>
void insert(Cache& cache, const CacheKeyView& key) {
    cache.insert_or_assign(key, make_entry(at(std::chrono::seconds(0))));
}

/// True if the cache has an entry for the key one second later; counts as a look-up.
template <typename Cache>
bool holds(Cache& cache, const CacheKeyView& key) {
    return cache.find(key, at(std::chrono::seconds(1))) != nullptr;
}

} // namespace wva_metrics::test_support
