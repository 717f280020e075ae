// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/cache/cache_stats.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/reading.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>

namespace wva_metrics {

/// Counters of a collector since it was made. Each is exact; they are not read at the same instant.
struct CollectorStats {
    /// Look-ups, counted by what the caller got: each is a hit, a stale hit or a miss.
    CacheStats cache;
    /// Misses that waited for a fetch that was already in flight.
    std::uint64_t coalesced = 0;
    /// Misses answered with a remembered failure, without a fetch.
    std::uint64_t negative_hits = 0;
    /// Calls that got the last good value because the backend failed.
    std::uint64_t served_stale_on_error = 0;
    /// Targets sent to the backend.
    std::uint64_t targets = 0;
    /// Targets that the backend answered with an error, or not in time.
    std::uint64_t failed_targets = 0;
    /// Batches that the targets were sent in.
    std::uint64_t batches = 0;
    /// Answers that were not cached, because the target was invalidated or untracked while it was
    /// fetched, or was fetched anew after `call_timeout`.
    std::uint64_t discarded = 0;
    /// Rounds of background fetching that have ended.
    std::uint64_t background_rounds = 0;
    /// Requests to track that were refused, because `max_tracked` variants or models are tracked
    /// already, or because of an invalid name.
    std::uint64_t tracking_refused = 0;
    /// Batches that were not sent, because `max_overdue_calls` others still run.
    std::uint64_t refused_batches = 0;
    /// Look-ups, insertions and removals that threw an exception, in a cache of your own or because
    /// memory was short. A look-up then counts as a miss, and an answer is not cached.
    std::uint64_t cache_failures = 0;
    /// Background rounds that were left out, because the one before took longer than the interval.
    std::uint64_t skipped_rounds = 0;
    /// Readings whose sample is newer than the moment they arrived, so a clock is wrong. Their age is
    /// taken as zero.
    std::uint64_t samples_ahead = 0;
    /// Answers in which the backend has nothing of a target: no pod, no series, no sample. They are
    /// neither failures nor zeros; what is missing has its reason.
    std::uint64_t empty_answers = 0;
    /// Exceptions that the observer threw.
    std::uint64_t observer_failures = 0;
    /// Variants that are fetched in the background.
    std::size_t tracked_variants = 0;
    /// Models that are fetched in the background.
    std::size_t tracked_models = 0;
    /// Targets that are queued or being fetched.
    std::size_t in_flight = 0;
    /// Handles that have a cell, and so need no search; a handle and its copies count as one.
    std::size_t handles = 0;
    /// Calls of the backend that were given up after `call_timeout` and still run: it does not end
    /// when it is cancelled.
    std::size_t overdue_calls = 0;
};

/// Whether the backend answers.
struct CollectorHealth {
    /// The last batch had at least one answer, or none was sent yet.
    bool healthy = true;
    /// Background fetching was started and not stopped, and has not stopped because memory is short.
    bool background_running = false;
    /// Batches in a row in which every target failed.
    std::uint64_t consecutive_failures = 0;
    /// When a batch last had an answer for at least one target.
    std::optional<TimePoint> last_success;
    /// When a batch last had an error for at least one target.
    std::optional<TimePoint> last_failure;
    /// Error of the last failed target; its code is empty if none failed.
    Error last_error;
};

} // namespace wva_metrics
