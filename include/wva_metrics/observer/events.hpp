// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/cache/cache_key.hpp"
#include "wva_metrics/config.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/metrics.hpp"
#include "wva_metrics/resilience/protection_event.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace wva_metrics {

/// The events that a collector reports to its observer.
///
/// An event refers to data of the collector and is valid only during the call that delivers it.
namespace events {

/// The collector was made or reconfigured.
struct Configured {
    /// The configuration that applies from now on.
    const CollectorConfig& config;
};

/// Served from the cache within the TTL.
struct Hit {
    /// The key that was looked up.
    CacheKeyView key;
    /// Time since the entry was collected.
    Duration age{};
};

/// Served from the cache past the TTL, while the entry is revalidated in the background.
struct StaleHit {
    /// The key that was looked up.
    CacheKeyView key;
    /// Time since the entry was collected.
    Duration age{};
};

/// A collecting call found no usable entry. `find_*` functions emit no `Miss`.
struct Miss {
    /// The key that was looked up.
    CacheKeyView key;
};

/// A miss waits for a fetch that is already in flight (single-flight).
struct Coalesced {
    /// The key that was looked up.
    CacheKeyView key;
};

/// A batch is about to be sent to the backend.
struct FetchStarted {
    /// The kind of all targets in the batch.
    EntryKind kind;
    /// Targets in the batch.
    std::size_t targets = 0;
    /// The background fetcher sent it, not a caller.
    bool background = false;
};

/// A batch has ended, with or without failed targets.
struct FetchEnded {
    /// The kind of all targets in the batch.
    EntryKind kind;
    /// Targets in the batch.
    std::size_t targets = 0;
    /// Targets of the batch that failed.
    std::size_t failed = 0;
    /// From sending the batch to its answer.
    Duration took{};
    /// The background fetcher sent it, not a caller.
    bool background = false;
};

/// A batch was not sent: too many earlier calls of the backend still run, although they were given
/// up. A `TargetFailed` for each target follows.
struct BatchRefused {
    /// The kind of all targets in the batch.
    EntryKind kind;
    /// Targets in the batch.
    std::size_t targets = 0;
    /// How many calls still run, and which bound this is.
    const Error& error;
};

/// One target of a batch failed.
struct TargetFailed {
    /// The target's key.
    CacheKeyView key;
    /// Why there is no answer.
    const Error& error;
    /// An earlier value exists; it is served as long as it is inside the stale-if-error window.
    bool serving_stale = false;
    /// The background fetcher sent it, not a caller.
    bool background = false;
};

/// The last good value was served because the backend failed.
struct StaleOnError {
    /// The key that was looked up.
    CacheKeyView key;
    /// Time since the entry was collected.
    Duration age{};
};

/// An answer was not cached, because its target was invalidated or untracked during the fetch.
struct Discarded {
    /// The target's key.
    CacheKeyView key;
};

/// The backend returned warnings with an answer.
struct Warnings {
    /// The target's key.
    CacheKeyView key;
    /// The warnings as human-readable text.
    const std::vector<std::string>& warnings;
};

/// Replica samples were attributed to a caller's variants, except some pods: they belong to none of
/// the variants or no longer exist.
struct PodsLeftOut {
    /// The attributed replicas, with `unattributed_pods` and `gone_pods`.
    const ModelReplicas& replicas;
};

/// Entries were invalidated.
struct Invalidated {
    /// The key, or the prefix that all removed keys share.
    std::string_view key_or_prefix;
    /// Entries removed.
    std::size_t entries = 0;
};

/// A target is fetched in the background from now on.
struct Tracked {
    /// The target's key.
    CacheKeyView key;
};

/// A target was to be fetched in the background, and is not.
struct TrackingRefused {
    /// The target's key.
    CacheKeyView key;
    /// So many targets of its kind are tracked already: `CollectorConfig::max_tracked`.
    std::size_t max_tracked = 0;
    /// Why no cluster can have the target's names; empty if they are valid.
    std::string_view invalid_name{};
};

/// A target is no longer tracked. It was fetched in the background or, if it was only collected
/// without `track_on_collection`, its requests were recorded.
struct Untracked {
    /// The target's key.
    CacheKeyView key;
    /// Evicted (unused, or over a lowered `max_tracked`), not untracked by the caller.
    bool idle = false;
};

/// Background fetching was started, or, with interval 0, only the removal of expired entries.
struct BackgroundStarted {
    /// Time between rounds; zero if fetching is switched off.
    Duration interval{};
    /// `CacheConfig::fetch_interval`. If it is longer than `interval`, it was shortened, because
    /// entries would expire between two rounds; see `effective_fetch_interval`.
    Duration configured{};
};

/// Background fetching was stopped.
struct BackgroundStopped {};

/// A background round has ended.
struct RoundEnded {
    /// Variants fetched.
    std::size_t variants = 0;
    /// Models fetched.
    std::size_t models = 0;
    /// Targets of both kinds that failed.
    std::size_t failed = 0;
    /// From the first target sent to the last answer.
    Duration took{};
};

/// Background rounds were left out, because the one before took longer than the interval.
struct RoundsSkipped {
    /// Rounds left out.
    std::size_t rounds = 0;
};

/// Expired entries were removed.
struct CleanedUp {
    /// Entries removed.
    std::size_t entries = 0;
};

/// Something changed in the protection of a server that the backend asks: it is left alone or asked
/// again, it gets fewer requests at a time, or some are sent again. Only from a `ProtectedBackend`.
struct EndpointEvent {
    /// What happened, to which server, and why; without secrets.
    const resilience::ProtectionEvent& event;
};

} // namespace events

/// Any event, for observers that handle all of them in one function.
using Event =
    std::variant<events::Configured, events::Hit, events::StaleHit, events::Miss, events::Coalesced,
                 events::FetchStarted, events::FetchEnded, events::BatchRefused,
                 events::TargetFailed, events::StaleOnError, events::Discarded, events::Warnings,
                 events::PodsLeftOut, events::Invalidated, events::Tracked, events::TrackingRefused,
                 events::Untracked, events::BackgroundStarted, events::BackgroundStopped,
                 events::RoundEnded, events::RoundsSkipped, events::CleanedUp,
                 events::EndpointEvent>;

} // namespace wva_metrics
