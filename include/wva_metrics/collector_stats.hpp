// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/cache/cache_stats.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/reading.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>

namespace wva_metrics {

/// Counters of a collector since it was made. Each is exact; together they may be torn by a moment.
struct CollectorStats {
    /// What callers experienced. A call is one of: hit, stale hit, miss.
    CacheStats cache;
    /// Misses that joined a fetch under way instead of starting one.
    std::uint64_t joined = 0;
    /// Calls answered from the memory of a recent failure, without asking the backend.
    std::uint64_t negative_hits = 0;
    /// Calls that got the last good value because the backend failed.
    std::uint64_t served_stale_on_error = 0;
    /// Targets put to the backend, and how many of them failed.
    std::uint64_t targets = 0;
    /// Of these, the ones answered with an error.
    std::uint64_t failed_targets = 0;
    /// Batches the targets were sent in.
    std::uint64_t batches = 0;
    /// Answers that were not cached, because of an invalidation or untracking while they were under
    /// way.
    std::uint64_t discarded = 0;
    /// Rounds of background fetching that have begun.
    std::uint64_t background_rounds = 0;
    /// Exceptions that an observer threw.
    std::uint64_t observer_failures = 0;
    /// Variants fetched in the background.
    std::size_t tracked_variants = 0;
    /// Models fetched in the background.
    std::size_t tracked_models = 0;
    /// Targets under way now.
    std::size_t in_flight = 0;
};

/// Is the backend answering?
struct CollectorHealth {
    /// The last batch had at least one answer, or none was sent yet.
    bool healthy = true;
    /// Background fetching was started, and not stopped.
    bool background_running = false;
    /// Batches in a row that failed altogether.
    std::uint64_t consecutive_failures = 0;
    /// When a batch last had an answer.
    std::optional<TimePoint> last_success;
    /// When a batch last failed altogether.
    std::optional<TimePoint> last_failure;
    /// Of the last failed target; empty code where none failed.
    Error last_error;
};

} // namespace wva_metrics
