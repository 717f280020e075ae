// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/observer/detail/log_line.hpp"
#include "wva_metrics/observer/events.hpp"

#include <chrono>
#include <string>
#include <string_view>

namespace wva_metrics::detail {

// The log line of each event, one overload of `line_of` each.

inline std::string subject_of(EntryKind kind) {
    switch (kind) {
    case EntryKind::optimizer:
        return "optimizer metrics";
    case EntryKind::replica:
        return "replica metrics";
    case EntryKind::availability:
        break;
    }
    return "metrics availability";
}

/// Truncated to milliseconds if it is at least one.
inline Duration readable(Duration time) {
    return time < std::chrono::milliseconds(1)
               ? time
               : std::chrono::duration_cast<std::chrono::milliseconds>(time);
}

inline LogLine& add_key(LogLine& line, const CacheKeyView& key) {
    return line.field("namespace", key.namespace_name)
        .field(key.kind == EntryKind::optimizer ? "variant" : "model", key.name);
}

inline LogLine line_about(std::string_view before, const CacheKeyView& key,
                          std::string_view after) {
    LogLine line(std::string(before) + subject_of(key.kind) + std::string(after));
    add_key(line, key);
    return line;
}

inline LogLine line_about(std::string_view before, const CacheKeyView& key, std::string_view after,
                          Duration age) {
    LogLine line(std::string(before) + subject_of(key.kind) + std::string(after));
    line.field("age", readable(age));
    add_key(line, key);
    return line;
}

inline LogLine line_of(const events::Configured& e) {
    const CacheConfig& cache = e.config.cache;
    if (!cache.enabled)
        return LogLine("Metrics cache disabled");
    return LogLine("Metrics cache enabled")
        .field("TTL", cache.ttl)
        .field("cleanupInterval", cache.cleanup_interval)
        .field("fetchInterval", cache.fetch_interval)
        .field("maxEntries", cache.max_entries)
        .field("maxBytes", cache.max_bytes);
}

/// One sentence of `warnings`.
inline LogLine line_of_warning(std::string_view sentence) {
    return LogLine("Configuration works differently than it says").field("warning", sentence);
}

inline LogLine line_of(const events::Hit& e) {
    return line_about("Using cached ", e.key, "", e.age);
}
inline LogLine line_of(const events::StaleHit& e) {
    return line_about("Using stale cached ", e.key, ", revalidating in the background", e.age);
}
inline LogLine line_of(const events::Miss& e) {
    return line_about("Cache miss for ", e.key, "");
}
inline LogLine line_of(const events::Coalesced& e) {
    return line_about("Waiting for a fetch of ", e.key, " already in flight");
}
inline LogLine line_of(const events::StaleOnError& e) {
    return line_about("Using the last good ", e.key, " because the backend failed", e.age);
}
inline LogLine line_of(const events::Discarded& e) {
    return line_about("Discarded ", e.key, ": invalidated or untracked during the fetch");
}
inline LogLine line_of(const events::Tracked& e) {
    return line_about("Tracking ", e.key, " for background fetching");
}
inline LogLine line_of(const events::TrackingRefused& e) {
    if (!e.invalid_name.empty())
        return LogLine("Not tracking " + subject_of(e.key.kind) + ": an invalid name")
            .field("reason", e.invalid_name);
    const bool is_variant = e.key.kind == EntryKind::optimizer;
    LogLine line("Not tracking " + subject_of(e.key.kind) + ": max_tracked " +
                 (is_variant ? "variants" : "models") +
                 " are tracked already; raise it, or untrack what is gone");
    line.field("maxTracked", e.max_tracked);
    add_key(line, e.key);
    return line;
}
inline LogLine line_of(const events::Untracked& e) {
    return line_about("Stopped tracking ", e.key, e.idle ? ": unused, or over max_tracked" : "");
}

inline LogLine line_of(const events::FetchStarted& e) {
    return LogLine("Fetching " + subject_of(e.kind))
        .field("targets", e.targets)
        .field("background", e.background);
}
inline LogLine line_of(const events::FetchEnded& e) {
    return LogLine("Fetched " + subject_of(e.kind))
        .field("targets", e.targets)
        .field("failed", e.failed)
        .field("took", readable(e.took))
        .field("background", e.background);
}

inline LogLine line_of(const events::BatchRefused& e) {
    return LogLine("Not fetching " + subject_of(e.kind) + ": too many overdue calls still run")
        .field("error", e.error.describe())
        .field("targets", e.targets);
}

inline LogLine line_of(const events::TargetFailed& e) {
    LogLine line("Failed to fetch " + subject_of(e.key.kind));
    line.field("error", e.error.describe());
    if (e.error.http_status != 0)
        line.field("status", e.error.http_status);
    add_key(line, e.key);
    line.field("servingStale", e.serving_stale).field("background", e.background);
    return line;
}

/// Shows the first warning; there must be one.
inline LogLine line_of(const events::Warnings& e) {
    LogLine line("Backend warned about " + subject_of(e.key.kind));
    line.field("warning", e.warnings.front()).field("warnings", e.warnings.size());
    add_key(line, e.key);
    return line;
}

inline LogLine line_of(const events::PodsLeftOut& e) {
    const auto& unattributed = e.replicas.unattributed_pods;
    LogLine line(unattributed.empty() ? "Left out pods that no longer exist"
                                      : "Left out pods that belong to none of the variants");
    if (!unattributed.empty())
        line.field("pod", unattributed.front()).field("unattributed", unattributed.size());
    line.field("gone", e.replicas.gone_pods.size());
    add_key(line, replica_key(e.replicas.model));
    return line;
}

inline LogLine line_of(const events::Invalidated& e) {
    return LogLine("Invalidated cache entries")
        .field("key", e.key_or_prefix)
        .field("entries", e.entries);
}
inline LogLine line_of(const events::BackgroundStarted& e) {
    const bool is_off = e.interval <= Duration::zero();
    LogLine line(is_off ? "Background fetching not started: it is switched off"
                        : "Started background fetching");
    line.field("interval", e.interval);
    if (e.interval < e.configured)
        line.field("fetchInterval", e.configured)
            .field("reason", "shortened, because entries would expire between two rounds");
    return line;
}
inline LogLine line_of(const events::BackgroundStopped& /*e*/) {
    return LogLine("Stopped background fetching");
}

/// `failed_before`: the previous round had failed targets.
inline LogLine line_of(const events::RoundEnded& e, bool failed_before) {
    const bool is_failing = e.failed > 0;
    return LogLine(is_failing == failed_before ? "Finished a background round"
                   : is_failing                ? "Background fetching began to fail"
                                               : "Background fetching recovered")
        .field("variants", e.variants)
        .field("models", e.models)
        .field("failed", e.failed)
        .field("took", readable(e.took));
}

inline LogLine line_of(const events::RoundsSkipped& e) {
    return LogLine("Skipped background rounds: the one before took longer than the interval")
        .field("rounds", e.rounds);
}

inline LogLine line_of(const events::CleanedUp& e) {
    return LogLine("Removed expired cache entries").field("entries", e.entries);
}

inline std::string_view sentence_of(resilience::ProtectionEvent::Kind kind) {
    using Kind = resilience::ProtectionEvent::Kind;
    switch (kind) {
    case Kind::breaker_opened:
        return "The server is left alone, because it keeps failing";
    case Kind::breaker_probing:
        return "The server is asked whether it works again";
    case Kind::breaker_closed:
        return "The server works again, and is asked as before";
    case Kind::paused:
        return "The server is left alone, because it has asked for a pause";
    case Kind::retrying:
        return "A failed request will be sent again";
    case Kind::budget_exhausted:
        return "A failed request is not sent again: the retry budget is used up";
    case Kind::limit_lowered:
        return "The server gets fewer requests at a time, because some have failed";
    case Kind::limit_restored:
        return "The server gets as many requests at a time as before";
    case Kind::hedging:
        return "A slow request is sent a second time";
    case Kind::replica_chosen:
        return "Another server with the same data is asked from now on";
    }
    return "Something happened to the server";
}

inline LogLine line_of(const events::EndpointEvent& e) {
    LogLine line{std::string(sentence_of(e.event.kind))};
    line.field("endpoint", e.event.endpoint);
    if (!e.event.reason.empty())
        line.field("reason", e.event.reason);
    return line;
}

} // namespace wva_metrics::detail
