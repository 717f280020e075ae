// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/reading.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace wva_metrics {

/// The requests of one model and priority that an endpoint picker (EPP) holds until a server is free;
/// those of all tenants together.
struct EppFlowQueue {
    /// The model for which they wait. `other`: the EPP has seen too many names to tell them apart.
    std::string model{};
    /// As the EPP writes it, mostly a number; higher ones are served first.
    std::string priority{};
    /// How many.
    Reading<double> requests{};
    /// Their bytes.
    Reading<double> bytes{};
};

/// The waiting requests of one endpoint of the pool, as the EPP read them from it.
struct EppEndpointQueue {
    /// The pod; an endpoint per engine is added up.
    std::string pod{};
    /// Waiting requests.
    Reading<double> queue_length{};
};

/// How often something happened per minute, by its outcome.
struct EppRate {
    /// As the EPP writes it, e.g. `success` or `RejectedCapacity`.
    std::string outcome{};
    /// Events per minute, over the rate window.
    Reading<double> per_minute{};
};

/// What an EPP says of its pool. What it does not publish is missing.
///
/// A gauge that the EPP computes only now and then is as old as it may be: its age begins with that
/// interval (`EppConfig::flush_interval`).
struct EppPoolStatus {
    /// The namespace of the EPP.
    std::string namespace_name{};
    /// The pool's name, as the EPP's metrics have it; empty if none has it.
    std::string pool{};

    /// Endpoints whose metrics the EPP has read lately; not the number of pods that are ready.
    Reading<double> ready_endpoints{};
    ///@{
    /// Means over these endpoints. Missing with the reason `unread` while there are none: the EPP does
    /// not change its numbers then, and they would look fresh for ever.
    Reading<double> average_kv_cache_usage{};
    Reading<double> average_queue_length{};
    Reading<double> average_running_requests{};
    ///@}

    /// Saturation of the pool, by which the EPP holds requests back from 1 on; above 1 it is overloaded.
    /// A 1 that stands for "nothing is known" is missing: `unread` if the EPP lacks metrics of
    /// endpoints or has none, `ambiguous` if it does not say.
    Reading<double> saturation{};
    ///@{
    /// Of the servers with this role; missing where the EPP does not tell roles apart.
    Reading<double> prefill_saturation{};
    Reading<double> decode_saturation{};
    ///@}
    /// Endpoints without fresh metrics.
    Reading<double> stale_endpoints{};

    ///@{
    /// All requests that the EPP holds, and their bytes. Missing if it has no flow control.
    Reading<double> queued_requests{};
    Reading<double> queued_bytes{};
    ///@}
    ///@{
    /// Share of the EPP's own capacity that these take, 0..1. Missing if the EPP has no such limit.
    Reading<double> request_capacity_usage{};
    Reading<double> byte_capacity_usage{};
    ///@}

    /// Sorted by model, then priority.
    std::vector<EppFlowQueue> queues{};
    /// Sorted by pod.
    std::vector<EppEndpointQueue> endpoints{};
    /// Scheduling attempts by status; sorted.
    std::vector<EppRate> scheduler_attempts{};
    /// Requests that left flow control, by outcome; sorted.
    std::vector<EppRate> flow_outcomes{};

    /// The models that the page names, sorted; without `other`.
    std::vector<std::string> models{};
    /// The EPP has seen so many names of models that it counts new ones as `other`.
    bool has_folded_models = false;
    /// Metrics are read by names that newer releases no longer publish.
    bool has_legacy_names = false;
    /// For people: what is missing and why.
    std::vector<std::string> warnings{};
    /// When the page was read.
    TimePoint scraped_at{};
};

/// Whether requests wait for a model.
enum class Queued : std::uint8_t {
    yes,     ///< At least one.
    no,      ///< None.
    unknown, ///< `EppQueued::reason` says why. It is neither.
};

/// Why it is not known whether requests wait.
enum class QueuedReason : std::uint8_t {
    none,
    /// The EPP publishes nothing of flow control: it may be switched off.
    no_flow_control,
    /// The model may be among those that the EPP counts as `other`, and requests wait for these.
    folded,
    /// The EPP's number is NaN or infinite.
    not_finite,
    /// The page has several pools, and `EppConfig::pool` does not choose one.
    several_pools,
    /// The model is of another namespace than the EPP.
    other_namespace,
    /// The EPP's number is negative.
    implausible,
};

/// The enumerator's name.
constexpr std::string_view to_string(Queued queued) noexcept {
    switch (queued) {
    case Queued::yes:
        return "yes";
    case Queued::no:
        return "no";
    case Queued::unknown:
        return "unknown";
    }
    return "unknown";
}

/// The enumerator's name.
constexpr std::string_view to_string(QueuedReason reason) noexcept {
    switch (reason) {
    case QueuedReason::none:
        return "none";
    case QueuedReason::no_flow_control:
        return "no_flow_control";
    case QueuedReason::folded:
        return "folded";
    case QueuedReason::not_finite:
        return "not_finite";
    case QueuedReason::several_pools:
        return "several_pools";
    case QueuedReason::other_namespace:
        return "other_namespace";
    case QueuedReason::implausible:
        return "implausible";
    }
    return "unknown";
}

/// The answer to "does anything wait for this model?".
struct EppQueued {
    /// The answer.
    Queued queued = Queued::unknown;
    /// Why it is `unknown`; else `none`.
    QueuedReason reason = QueuedReason::none;
    /// How many requests wait; missing if that is unknown.
    Reading<double> requests{};
    /// One sentence.
    std::string message{};
};

} // namespace wva_metrics
