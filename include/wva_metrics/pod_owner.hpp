// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace wva_metrics {

/// How the owner of a pod was determined. After `unknown`, the most reliable source is first.
enum class OwnerSource : std::uint8_t {
    /// A resolver of the user's own that does not name its source.
    unknown,
    /// The Kubernetes API: the owner references of the pod and of its owners.
    owner_references,
    /// The Kubernetes API: exactly one workload's selector matches the pod's labels.
    label_selector,
    /// kube-state-metrics, through Prometheus.
    kube_state_metrics,
    /// The pod's name, which is built from the workload's name as Kubernetes does it.
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

/// The owner of a pod.
struct PodOwner {
    /// `Deployment`, `StatefulSet`, `LeaderWorkerSet`, `ReplicaSet`, ...
    std::string kind{};
    /// The owner's name; the owner is in the pod's own namespace.
    std::string name{};
    /// How the owner was determined.
    OwnerSource source = OwnerSource::unknown;

    /// Same owner, from the same source.
    friend bool operator==(const PodOwner&, const PodOwner&) = default;
};

/// The state of a pod when its metrics were fetched.
enum class PodState : std::uint8_t {
    /// No source knows the pod's state.
    unknown,
    /// It no longer exists, although it may still have series.
    gone,
    /// It exists and receives no requests.
    not_ready,
    /// It receives requests.
    ready,
    /// It is being deleted: it finishes its requests and receives no new ones.
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
