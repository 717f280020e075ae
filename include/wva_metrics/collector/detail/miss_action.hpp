// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/collector/detail/tracked_set.hpp"
#include "wva_metrics/error.hpp"

#include <cstddef>
#include <string>

namespace wva_metrics::detail {

/// What the collector must do about a miss.
struct MissAction {
    enum class Step {
        /// Do not wait: complete the waiter with `error`, or with its last good value.
        complete_with_error,
        /// The waiter has joined a flight.
        wait,
        /// The same, and the queue must be sent: nobody has seen to it yet.
        wait_and_send,
    };
    Step step = Step::wait;
    /// Only for `complete_with_error`.
    Error error{};

    // The caller reports these as events and counters.
    /// The error is remembered from a recent failure.
    bool negative_hit = false;
    /// The flight had been opened before.
    bool coalesced = false;
    /// Whether the target is fetched in the background from this miss on.
    Tracking tracking = Tracking::unchanged;
};

/// The error of a call that is rejected because this many wait already.
inline Error too_many_waiters(std::size_t max_waiters) {
    return Error(Errc::unavailable,
                 "too many callers wait for the backend already: " + std::to_string(max_waiters) +
                     " (CollectorConfig::max_waiters)");
}

} // namespace wva_metrics::detail
