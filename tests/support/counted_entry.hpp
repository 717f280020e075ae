// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/cache/sharded_cache.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

namespace wva_metrics::test_support {

/// Counted entries never expire, so that the time of a look-up does not matter.
inline constexpr TimePoint any_time{};

/// An entry that is counted while it exists, and that detects reads after its destruction.
class CountedEntry {
public:
    /// The destructor calls `at_end`, if any.
    explicit CountedEntry(std::atomic<int>& living, std::uint64_t version = 0,
                          std::function<void()> at_end = {})
        : living_(living), version_(version), at_end_(std::move(at_end)) {
        ++living_;
    }
    CountedEntry(const CountedEntry&) = delete;
    CountedEntry& operator=(const CountedEntry&) = delete;
    ~CountedEntry() {
        state_.store(0, std::memory_order_relaxed);
        --living_;
        if (at_end_)
            at_end_();
    }

    std::uint64_t version() const noexcept { return version_; }
    bool is_intact() const noexcept { return state_.load(std::memory_order_relaxed) == intact; }

    bool is_fresh(TimePoint) const noexcept { return true; }
    bool is_expired(TimePoint) const noexcept { return false; }
    TimePoint keep_until() const noexcept { return TimePoint::max(); }
    std::size_t bytes() const noexcept { return 1; }

private:
    static constexpr std::uint64_t intact = 0x1234'5678'9abc'def0U;

    std::atomic<int>& living_;
    std::uint64_t version_;
    std::function<void()> at_end_;
    std::atomic<std::uint64_t> state_{intact};
};

using CountedCache = BasicShardedCache<CountedEntry>;

} // namespace wva_metrics::test_support
