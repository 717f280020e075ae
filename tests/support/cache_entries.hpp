// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/cache/cache_entry.hpp"
#include "wva_metrics/cache/cache_key.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

namespace wva_metrics::test_support {

/// Some moment, so many milliseconds after the test began.
inline TimePoint at(std::chrono::milliseconds time) {
    return TimePoint(std::chrono::hours(1) + time);
}

/// An entry collected at `collected_at`, fresh for `ttl` and kept for `keep`, with `text_bytes` of
/// text in it.
inline CacheEntryPtr make_entry(TimePoint collected_at, Duration ttl = std::chrono::seconds(30),
                                Duration keep = std::chrono::seconds(60),
                                std::size_t text_bytes = 0) {
    Availability payload;
    payload.message = std::string(text_bytes, 'x');
    return std::make_shared<const CacheEntry>(std::move(payload), collected_at, collected_at + ttl,
                                              collected_at + keep);
}

} // namespace wva_metrics::test_support
