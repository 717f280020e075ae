// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/kubernetes/label_selector.hpp"
#include "wva_metrics/kubernetes/metadata.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace wva_metrics::kubernetes {

// Only what this library uses of each object, as the API server says it. Where an object lacks a
// field, the member is empty, or what its comment says.

/// A pod.
struct Pod {
    /// Its name, owners and labels, and whether it is being deleted.
    Metadata metadata;
    /// `Pending`, `Running`, `Succeeded`, `Failed` or `Unknown`.
    std::string phase;
    /// Its condition `Ready` is `True`. A pod that is being deleted may still be ready.
    bool ready = false;

    /// Equal where all members are.
    friend bool operator==(const Pod&, const Pod&) = default;
};

/// A replica set, through which a deployment owns its pods.
struct ReplicaSet {
    /// Its name, owners and labels.
    Metadata metadata;
    /// Whose pods it counts as its own; nothing means none.
    std::optional<LabelSelector> selector;

    /// Equal where all members are.
    friend bool operator==(const ReplicaSet&, const ReplicaSet&) = default;
};

/// A deployment.
struct Deployment {
    /// Its name, owners and labels.
    Metadata metadata;
    /// Whose pods it counts as its own; nothing means none.
    std::optional<LabelSelector> selector;
    /// How many pods it shall have; nothing where the object does not say, which means one.
    std::optional<std::int64_t> replicas;

    /// Equal where all members are.
    friend bool operator==(const Deployment&, const Deployment&) = default;
};

/// A stateful set, whose pods are named `<name>-<ordinal>`.
struct StatefulSet {
    /// Its name, owners and labels.
    Metadata metadata;
    /// Whose pods it counts as its own; nothing means none.
    std::optional<LabelSelector> selector;
    /// How many pods it shall have; nothing where the object does not say, which means one.
    std::optional<std::int64_t> replicas;

    /// Equal where all members are.
    friend bool operator==(const StatefulSet&, const StatefulSet&) = default;
};

/// The label by which all pods of a leader worker set name it.
inline constexpr std::string_view leader_worker_set_label = "leaderworkerset.sigs.k8s.io/name";

/// A leader worker set: groups of one leader pod and its workers each.
///
/// It owns a stateful set of the leaders; each leader *pod* owns a stateful set of its workers. It
/// has no selector of its own; see `leader_worker_set_label`.
struct LeaderWorkerSet {
    /// Its name, owners and labels.
    Metadata metadata;
    /// How many groups it shall have; nothing where the object does not say, which means one.
    std::optional<std::int64_t> replicas;

    /// Equal where all members are.
    friend bool operator==(const LeaderWorkerSet&, const LeaderWorkerSet&) = default;
};

/// The label of a variant autoscaling object that names its accelerator.
inline constexpr std::string_view accelerator_label = "inference.optimization/acceleratorName";

/// A variant autoscaling object as it stands in the cluster; nothing of it has been judged.
struct VariantAutoscalingObject {
    /// Its name and labels.
    Metadata metadata;
    /// `spec.modelID`.
    std::string model_id;
    /// `spec.scaleTargetRef.kind`, e.g. `Deployment`.
    std::string target_kind;
    /// `spec.scaleTargetRef.name`.
    std::string target_name;
    /// `spec.variantCost`: text that should be a number; nothing where the object does not say.
    std::optional<std::string> variant_cost;
    /// The label `accelerator_label`.
    std::string accelerator;

    /// Equal where all members are.
    friend bool operator==(const VariantAutoscalingObject&,
                           const VariantAutoscalingObject&) = default;
};

} // namespace wva_metrics::kubernetes
