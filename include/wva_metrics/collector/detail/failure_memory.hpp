// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/cache/cache_key.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/reading.hpp"

#include <cstddef>
#include <unordered_map>
#include <utility>

namespace wva_metrics::detail {

/// Which targets failed the last time they were asked, and when they may be asked again.
///
/// So an outage is not hammered, and the last good value can be told apart as served because of it.
/// Pure: time is passed in. Not thread-safe.
class FailureMemory {
public:
    struct Failure {
        Error error;
        TimePoint ask_again_at;
    };

    explicit FailureMemory(std::size_t max_failures) : max_failures_(max_failures) {}

    void remember(const CacheKeyView& key, Error error, TimePoint ask_again_at) {
        if (failures_.size() >= max_failures_ && !failures_.contains(key))
            failures_.erase(
                failures_
                    .begin()); // Which one does not matter: it is asked once more, that is all.
        failures_.insert_or_assign(CacheKey(key), Failure{std::move(error), ask_again_at});
    }
    void forget(const CacheKeyView& key) {
        if (failures_.empty())
            return; // As nearly always, and then the key need not be hashed.
        if (const auto found = failures_.find(key); found != failures_.end())
            failures_.erase(found);
    }
    /// The last failure, or null where the last attempt went well.
    const Failure* find(const CacheKeyView& key) const {
        const auto found = failures_.find(key);
        return found == failures_.end() ? nullptr : &found->second;
    }
    void clear() { failures_.clear(); }

    /// Another bound from now on. Which ones are forgotten does not matter: they are asked once
    /// more, that is all.
    void set_max_failures(std::size_t max_failures) {
        max_failures_ = max_failures;
        while (failures_.size() > max_failures)
            failures_.erase(failures_.begin());
    }

private:
    std::unordered_map<CacheKey, Failure, CacheKeyHash, CacheKeyEqual> failures_;
    std::size_t max_failures_;
};

} // namespace wva_metrics::detail
