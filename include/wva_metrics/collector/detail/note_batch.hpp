// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/collector_stats.hpp"
#include "wva_metrics/reading.hpp"

#include <cstddef>

namespace wva_metrics::detail {

/// Updates the health after all targets of a batch were settled, except `last_error`.
inline void note_batch(CollectorHealth& health, std::size_t targets, std::size_t failed,
                       TimePoint now) noexcept {
    health.healthy = failed < targets;
    if (health.healthy) {
        health.consecutive_failures = 0;
        health.last_success = now;
    } else {
        ++health.consecutive_failures;
    }
    if (failed > 0)
        health.last_failure = now;
}

} // namespace wva_metrics::detail
