// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace wva_metrics {

/// Who says whose pod it is, the most trustworthy first.
enum class OwnerSource : std::uint8_t {
    /// Somebody who does not say how they know: a resolver of the user's own.
    unknown,
    /// The Kubernetes API: the owner references of the pod and of its owners.
    owner_references,
    /// The Kubernetes API: the pod's labels, which fit the selector of one workload only.
    label_selector,
    /// kube-state-metrics, through Prometheus.
    kube_state_metrics,
    /// Nobody; the pod's name is what Kubernetes makes of the workload's name.
    pod_name,
};

/// The enumerator's name, for people and logs.
constexpr std::string_view to_string(OwnerSource source) noexcept {
    switch (source) {
    case OwnerSource::unknown:
        return "unknown";
    case OwnerSource::owner_references:
        return "owner_references";
    case OwnerSource::label_selector:
        return "label_selector";
    case OwnerSource::kube_state_metrics:
        return "kube_state_metrics";
    case OwnerSource::pod_name:
        return "pod_name";
    }
    return "unknown";
}

/// Whose pod it is.
struct PodOwner {
    /// `Deployment`, `StatefulSet`, `LeaderWorkerSet`, `ReplicaSet`, ...
    std::string kind{};
    /// The owner's name; it is in the pod's own namespace.
    std::string name{};
    /// Who says so.
    OwnerSource source = OwnerSource::unknown;

    /// Same owner by the same source.
    friend bool operator==(const PodOwner&, const PodOwner&) = default;
};

/// What is known of a pod's life, at the moment its metrics were fetched.
enum class PodState : std::uint8_t {
    /// Nobody who would know was asked, or could answer.
    unknown,
    /// It no longer exists, though it may still have series.
    gone,
    /// It exists and does not take requests.
    not_ready,
    /// It takes requests.
    ready,
    /// It is being deleted: it finishes what it has and takes nothing new.
    terminating,
};

/// The enumerator's name, for people and logs.
constexpr std::string_view to_string(PodState state) noexcept {
    switch (state) {
    case PodState::unknown:
        return "unknown";
    case PodState::gone:
        return "gone";
    case PodState::not_ready:
        return "not_ready";
    case PodState::ready:
        return "ready";
    case PodState::terminating:
        return "terminating";
    }
    return "unknown";
}

} // namespace wva_metrics
