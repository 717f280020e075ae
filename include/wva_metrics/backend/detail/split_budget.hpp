// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/reading.hpp"

#include <algorithm>
#include <chrono>

namespace wva_metrics::detail {

/// How many queries may be halved. A server that rejects whatever it is asked would otherwise be
/// asked for every single member, in every batch.
///
/// Pure: the time is passed in, and must not go back.
///
/// **Threads:** not thread-safe.
class SplitBudget {
public:
    /// Halvings at once. Enough for four chunks of 10 000 members to be halved down to one member.
    static constexpr unsigned most = 64;
    /// After this time without halvings, `most` are allowed again.
    static constexpr Duration full_after = std::chrono::minutes(1);

    /// True if one more query may be halved, which is then counted.
    bool take(TimePoint now) noexcept {
        // As a time, so that nothing is rounded: how much of the budget has been spent.
        spent_ = std::max(Duration::zero(), spent_ - std::max(Duration::zero(), now - taken_at_));
        taken_at_ = now;
        if (spent_ + cost > full_after)
            return false;
        spent_ += cost;
        return true;
    }

private:
    static constexpr Duration cost = full_after / most;

    Duration spent_{};
    TimePoint taken_at_{};
};

} // namespace wva_metrics::detail
