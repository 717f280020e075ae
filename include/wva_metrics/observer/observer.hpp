// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/cache/cache_key.hpp"
#include "wva_metrics/config.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/metrics.hpp"

#include <concepts>
#include <cstddef>
#include <string>
#include <vector>

namespace wva_metrics {

/// A look-up, as an observer sees it. Valid only during the call.
struct LookupEvent {
    /// What was looked up.
    CacheKeyView key;
    /// Time since the entry was collected; zero for a miss.
    Duration age{};
};

/// A batch of targets to the backend. Valid only during the call.
struct FetchEvent {
    /// What all of them ask for.
    EntryKind kind;
    /// How many there are.
    std::size_t targets = 0;
    /// Targets that were answered with an error.
    std::size_t failed = 0;
    /// Zero until they have been answered.
    Duration took{};
    /// Sent by the background fetcher, not by a caller.
    bool background = false;
};

/// A target that failed. Valid only during the call.
struct FailureEvent {
    /// What was asked for.
    CacheKeyView key;
    /// Why there is no answer.
    const Error& error;
    /// The last good value is served meanwhile.
    bool serving_stale = false;
    /// Asked by the background fetcher, not by a caller.
    bool background = false;
};

/// A background round that has ended. Valid only during the call.
struct RoundEvent {
    /// Variants asked for.
    std::size_t variants = 0;
    /// Models asked for.
    std::size_t models = 0;
    /// Targets of both kinds that were answered with an error.
    std::size_t failed = 0;
    /// From its first target to its last answer.
    Duration took{};
};

/// Watches a collector and changes nothing.
///
/// Every hook does nothing here; derive and redefine those you want. All hooks are public and
/// non-virtual: the collector knows the type. They are called without any lock held, from whichever
/// thread does the work, possibly from several at once; keep them short. What they throw is dropped
/// and counted. None begins once the collector has been destroyed, but where several threads run
/// the executor, one that another thread was about to call then still may.
class NullObserver {
public:
    /// The collector was made, or reconfigured: this holds from now on.
    void on_configured(const CollectorConfig&) {}
    /// Served from the cache within the TTL.
    void on_hit(const LookupEvent&) {}
    /// Served from the cache past the TTL; it is being renewed behind the caller.
    void on_stale_hit(const LookupEvent&) {}
    /// Not in the cache; the backend is asked, or a fetch under way is joined.
    void on_miss(const LookupEvent&) {}
    /// A miss joined a fetch that was already under way.
    void on_joined(const LookupEvent&) {}
    /// A batch is about to be sent.
    void on_fetch(const FetchEvent&) {}
    /// A batch has been answered, well or not.
    void on_fetched(const FetchEvent&) {}
    /// One target failed.
    void on_failure(const FailureEvent&) {}
    /// The last good value was served because the backend failed.
    void on_stale_on_error(const LookupEvent&) {}
    /// An answer arrived for something that had been invalidated or untracked meanwhile; it was not
    /// cached.
    void on_discarded(const LookupEvent&) {}
    /// The backend had something to say beside the answer.
    void on_warnings(const CacheKeyView&, const std::vector<std::string>&) {}
    /// Replica samples were joined with a caller's variants, and some pods fit none or are gone.
    void on_pods_left_out(const ModelReplicas&) {}
    /// Entries were invalidated, by key or by prefix.
    void on_invalidated(std::string_view /*key_or_prefix*/, std::size_t /*entries*/) {}
    /// Something is fetched in the background from now on.
    void on_tracked(const CacheKeyView&) {}
    /// `idle`: because nobody asked for it, or others more lately where `max_tracked` was lowered;
    /// not because somebody said so.
    void on_untracked(const CacheKeyView&, bool /*idle*/) {}
    /// Background fetching started, with this time between rounds; zero: it is switched off and did
    /// not start.
    void on_background_started(Duration) {}
    /// Background fetching was stopped.
    void on_background_stopped() {}
    /// A round of background fetching has ended.
    void on_round(const RoundEvent&) {}
    /// Expired entries were removed.
    void on_cleanup(std::size_t /*entries*/) {}
};

/// Satisfied by `NullObserver` and what derives from it and keeps the hooks' signatures: a hook
/// that was redefined with the wrong ones is refused, not silently ignored.
template <typename T>
concept CollectorObserver = requires(T& observer, const LookupEvent& lookup,
                                     const FetchEvent& fetch, const FailureEvent& failure,
                                     const RoundEvent& round, const CacheKeyView& key,
                                     const std::vector<std::string>& warnings,
                                     const ModelReplicas& replicas, const CollectorConfig& config,
                                     std::string_view text, std::size_t count, Duration interval) {
    observer.on_configured(config);
    observer.on_hit(lookup);
    observer.on_stale_hit(lookup);
    observer.on_miss(lookup);
    observer.on_joined(lookup);
    observer.on_fetch(fetch);
    observer.on_fetched(fetch);
    observer.on_failure(failure);
    observer.on_stale_on_error(lookup);
    observer.on_discarded(lookup);
    observer.on_warnings(key, warnings);
    observer.on_pods_left_out(replicas);
    observer.on_invalidated(text, count);
    observer.on_tracked(key);
    observer.on_untracked(key, true);
    observer.on_background_started(interval);
    observer.on_background_stopped();
    observer.on_round(round);
    observer.on_cleanup(count);
};

} // namespace wva_metrics
