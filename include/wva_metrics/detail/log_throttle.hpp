// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>

namespace wva_metrics::detail {

/// Lets the first of many equal events through, and then every hundredth. Thread-safe.
class RepeatFilter {
public:
    /// How many events were held back since the last that was let through; nothing where this one
    /// is held back.
    std::optional<std::uint64_t> pass() noexcept {
        constexpr std::uint64_t every = 100;
        const std::uint64_t before = seen_.fetch_add(1, std::memory_order_relaxed);
        if (before % every != 0)
            return std::nullopt;
        return before == 0 ? 0 : every - 1;
    }

    /// Makes the next event the first again.
    void reset() noexcept { seen_.store(0, std::memory_order_relaxed); }

private:
    std::atomic<std::uint64_t> seen_{0};
};

} // namespace wva_metrics::detail
