// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/cache/cache_entry.hpp"
#include "wva_metrics/cache/cache_key.hpp"
#include "wva_metrics/cache/cache_limits.hpp"
#include "wva_metrics/cache/cache_stats.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace wva_metrics {

/// A cache that keeps nothing: for tests, and if every answer has to come from the backend. The
/// shortest cache to copy for one of your own.
///
/// Every look-up counts as a miss; the other functions do nothing.
///
/// **Threads:** safe.
class NoOpCache {
public:
    NoOpCache() = default;
    /// The limits are ignored; all caches have this constructor.
    explicit NoOpCache(const CacheLimits&) noexcept {}

    /// Counts a miss; the visitor is not called.
    template <typename Visitor>
    bool visit(const CacheKeyView&, TimePoint, Visitor&&) noexcept {
        misses_.fetch_add(1, std::memory_order_relaxed);
        return false;
    }

    /// Counts a miss.
    CacheEntryPtr find(const CacheKeyView&, TimePoint) noexcept {
        misses_.fetch_add(1, std::memory_order_relaxed);
        return nullptr;
    }

    /// Nothing need be known of a key.
    struct Cell {};
    /// A cell. All are alike.
    std::shared_ptr<Cell> cell(const CacheKeyView&) { return std::make_shared<Cell>(); }
    ///@{
    /// Counts a miss.
    template <typename Visitor>
    bool visit(const Cell&, TimePoint, Visitor&&) noexcept {
        misses_.fetch_add(1, std::memory_order_relaxed);
        return false;
    }
    CacheEntryPtr find(const Cell&, TimePoint) noexcept {
        misses_.fetch_add(1, std::memory_order_relaxed);
        return nullptr;
    }
    ///@}

    ///@{
    /// Does nothing.
    void insert_or_assign(const CacheKeyView&, const CacheEntryPtr&) noexcept {}
    bool erase(const CacheKeyView&) noexcept { return false; }
    std::size_t erase_prefix(std::string_view) noexcept { return 0; }
    template <typename Matches>
    std::size_t erase_prefix_if(std::string_view, const Matches&) noexcept {
        return 0;
    }
    std::size_t erase_expired(TimePoint) noexcept { return 0; }
    void clear() noexcept {}
    void set_limits(const CacheLimits&) noexcept {}
    std::size_t size() const noexcept { return 0; }
    ///@}

    /// The misses; everything else is zero.
    CacheStats stats() const noexcept {
        CacheStats stats;
        stats.misses = misses_.load(std::memory_order_relaxed);
        return stats;
    }

private:
    std::atomic<std::uint64_t> misses_{0};
};

} // namespace wva_metrics
