// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/cache/cache_key.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/reading.hpp"

#include <cstddef>
#include <unordered_map>
#include <utility>

namespace wva_metrics::detail {

/// The keys whose last fetch failed, and when each may be fetched again.
///
/// Keeps a failing backend from being flooded with retries, and shows which last good values are
/// served because of a failure. Takes the time as a parameter. Not thread-safe.
class FailureMemory {
public:
    struct Failure {
        Error error;
        TimePoint failed_at;
        TimePoint retry_at;
    };

    explicit FailureMemory(std::size_t capacity) : capacity_(capacity) {}

    /// In a full memory any other failure is forgotten: its key is fetched once more, no harm.
    void remember(const CacheKeyView& key, Error error, TimePoint failed_at, TimePoint retry_at) {
        if (failures_.size() >= capacity_ && !failures_.contains(key))
            failures_.erase(failures_.begin());
        failures_.insert_or_assign(CacheKey(key), Failure{std::move(error), failed_at, retry_at});
    }
    void forget(const CacheKeyView& key) {
        if (failures_.empty())
            return; // The usual case; saves hashing the key.
        if (const auto found = failures_.find(key); found != failures_.end())
            failures_.erase(found);
    }
    /// The last failure; null if the last fetch succeeded.
    const Failure* find(const CacheKeyView& key) const {
        const auto found = failures_.find(key);
        return found == failures_.end() ? nullptr : &found->second;
    }
    void clear() { failures_.clear(); }

    /// Forgets any failures above the new capacity.
    void set_capacity(std::size_t capacity) {
        capacity_ = capacity;
        while (failures_.size() > capacity)
            failures_.erase(failures_.begin());
    }

private:
    std::unordered_map<CacheKey, Failure, CacheKeyHash, CacheKeyEqual> failures_;
    std::size_t capacity_;
};

} // namespace wva_metrics::detail
