// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/reading.hpp"

#include <atomic>
#include <chrono>

namespace wva_metrics::detail {

/// Something that was learned once and costs much to learn, but may be over after a while: it is
/// true for `lasts_for`, and then must be learned again.
///
/// Pure: the time is passed in.
///
/// **Threads:** safe.
class LastingFlag {
public:
    static constexpr Duration lasts_for = std::chrono::minutes(10);

    bool is_set(TimePoint now) const noexcept {
        return now < ends_at_.load(std::memory_order_relaxed);
    }
    void set(TimePoint now) noexcept { ends_at_.store(now + lasts_for, std::memory_order_relaxed); }
    void clear() noexcept { ends_at_.store(TimePoint::min(), std::memory_order_relaxed); }

private:
    std::atomic<TimePoint> ends_at_{TimePoint::min()};
};

} // namespace wva_metrics::detail
