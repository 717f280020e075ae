// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/kubernetes/label_selector.hpp"
#include "wva_metrics/kubernetes/metadata.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace wva_metrics::kubernetes {

// Only the fields that this library uses, as the API server sends them. If a field is missing, the
// member is empty, unless its comment says otherwise.

/// A pod.
struct Pod {
    /// Its name, owners and labels, and whether it is being deleted.
    Metadata metadata;
    /// `Pending`, `Running`, `Succeeded`, `Failed` or `Unknown`.
    std::string phase;
    /// The condition `Ready` is `True`. A pod that is being deleted may still be ready.
    bool ready = false;

    /// Equal if all members are.
    friend bool operator==(const Pod&, const Pod&) = default;
};

/// A replica set, which owns the pods of a deployment.
struct ReplicaSet {
    /// Its name, owners and labels.
    Metadata metadata;
    /// Selects the pods that it counts as its own; empty = no pods.
    std::optional<LabelSelector> selector;

    /// Equal if all members are.
    friend bool operator==(const ReplicaSet&, const ReplicaSet&) = default;
};

/// A deployment.
struct Deployment {
    /// Its name, owners and labels.
    Metadata metadata;
    /// Selects the pods that it counts as its own; empty = no pods.
    std::optional<LabelSelector> selector;
    /// The desired number of pods. If it is missing, the cluster runs one.
    std::optional<std::int64_t> replicas;

    /// Equal if all members are.
    friend bool operator==(const Deployment&, const Deployment&) = default;
};

/// A stateful set, whose pods are named `<name>-<ordinal>`.
struct StatefulSet {
    /// Its name, owners and labels.
    Metadata metadata;
    /// Selects the pods that it counts as its own; empty = no pods.
    std::optional<LabelSelector> selector;
    /// The desired number of pods. If it is missing, the cluster runs one.
    std::optional<std::int64_t> replicas;

    /// Equal if all members are.
    friend bool operator==(const StatefulSet&, const StatefulSet&) = default;
};

/// The label that names the leader worker set of a pod.
inline constexpr std::string_view leader_worker_set_label = "leaderworkerset.sigs.k8s.io/name";

/// A leader worker set: groups of one leader pod and its workers each.
///
/// It owns a stateful set of the leaders, and each leader *pod* owns a stateful set of its workers.
/// It has no selector of its own; see `leader_worker_set_label`.
struct LeaderWorkerSet {
    /// Its name, owners and labels.
    Metadata metadata;
    /// The desired number of groups. If it is missing, the cluster runs one.
    std::optional<std::int64_t> replicas;

    /// Equal if all members are.
    friend bool operator==(const LeaderWorkerSet&, const LeaderWorkerSet&) = default;
};

/// The label of a variant autoscaling object that names its accelerator.
inline constexpr std::string_view accelerator_label = "inference.optimization/acceleratorName";

/// A variant autoscaling object as the API server sends it, not validated.
struct VariantAutoscalingObject {
    /// Its name and labels.
    Metadata metadata;
    /// `spec.modelID`.
    std::string model_id;
    /// `spec.scaleTargetRef.kind`, e.g. `Deployment`.
    std::string target_kind;
    /// `spec.scaleTargetRef.name`.
    std::string target_name;
    /// `spec.variantCost`: text that should be a number. A JSON number is there as text, and any
    /// other JSON value too, so that it is not mistaken for a missing one. Empty if it is missing.
    std::optional<std::string> variant_cost;
    /// The label `accelerator_label`.
    std::string accelerator;
    /// Which other field of `spec` has the wrong type, the first one. It reads as missing. Usually
    /// empty, because the API server checks the types.
    std::string problem;

    /// Equal if all members are.
    friend bool operator==(const VariantAutoscalingObject&,
                           const VariantAutoscalingObject&) = default;
};

} // namespace wva_metrics::kubernetes
