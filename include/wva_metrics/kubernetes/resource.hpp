// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/kubernetes/objects.hpp"

#include <array>
#include <string>
#include <string_view>

namespace wva_metrics::kubernetes {

/// The default API group, version and name of a type's resource. Specialize it for a type of your
/// own; see also `ClusterObject`.
///
/// A member `fields` is optional: the fields beside the metadata that `read_fields` reads, as `spec`
/// or `spec.replicas`. All others are skipped, which saves time and memory. Without it, only
/// `metadata.managedFields` is skipped.
template <typename T>
struct ResourceDefaults;

/// Pods are in the core API, whose group name is empty.
template <>
struct ResourceDefaults<Pod> {
    static constexpr std::string_view group = "";      ///< The API group.
    static constexpr std::string_view version = "v1";  ///< The API version.
    static constexpr std::string_view plural = "pods"; ///< The name in URLs.
    /// The fields that are read.
    static constexpr std::array<std::string_view, 2> fields{"status.phase", "status.conditions"};
};
/// Replica sets are in the group `apps`.
template <>
struct ResourceDefaults<ReplicaSet> {
    static constexpr std::string_view group = "apps";         ///< The API group.
    static constexpr std::string_view version = "v1";         ///< The API version.
    static constexpr std::string_view plural = "replicasets"; ///< The name in URLs.
    /// The fields that are read.
    static constexpr std::array<std::string_view, 1> fields{"spec.selector"};
};
/// Deployments are in the group `apps`.
template <>
struct ResourceDefaults<Deployment> {
    static constexpr std::string_view group = "apps";         ///< The API group.
    static constexpr std::string_view version = "v1";         ///< The API version.
    static constexpr std::string_view plural = "deployments"; ///< The name in URLs.
    /// The fields that are read.
    static constexpr std::array<std::string_view, 2> fields{"spec.selector", "spec.replicas"};
};
/// Stateful sets are in the group `apps`.
template <>
struct ResourceDefaults<StatefulSet> {
    static constexpr std::string_view group = "apps";          ///< The API group.
    static constexpr std::string_view version = "v1";          ///< The API version.
    static constexpr std::string_view plural = "statefulsets"; ///< The name in URLs.
    /// The fields that are read.
    static constexpr std::array<std::string_view, 2> fields{"spec.selector", "spec.replicas"};
};
/// Leader worker sets are a custom resource, which a cluster may not have.
template <>
struct ResourceDefaults<LeaderWorkerSet> {
    static constexpr std::string_view group = "leaderworkerset.x-k8s.io"; ///< The API group.
    static constexpr std::string_view version = "v1";                     ///< The API version.
    static constexpr std::string_view plural = "leaderworkersets";        ///< The name in URLs.
    /// The fields that are read.
    static constexpr std::array<std::string_view, 1> fields{"spec.replicas"};
};
/// Variant autoscaling objects are a custom resource, which a cluster may not have.
template <>
struct ResourceDefaults<VariantAutoscalingObject> {
    static constexpr std::string_view group = "llmd.ai";              ///< The API group.
    static constexpr std::string_view version = "v1alpha1";           ///< The API version.
    static constexpr std::string_view plural = "variantautoscalings"; ///< The name in URLs.
    /// The fields that are read.
    static constexpr std::array<std::string_view, 3> fields{"spec.modelID", "spec.scaleTargetRef",
                                                            "spec.variantCost"};
};

/// The resource of a type. The defaults are correct, unless a custom resource is installed under
/// another name.
template <typename T>
struct Resource {
    /// The API group, e.g. `apps`; empty for the core API.
    std::string group{ResourceDefaults<T>::group};
    /// The API version, e.g. `v1`.
    std::string version{ResourceDefaults<T>::version};
    /// The resource's name in URLs, e.g. `pods`.
    std::string plural{ResourceDefaults<T>::plural};
};

/// Selects objects of a resource.
struct Selection {
    /// The namespace; empty = all namespaces, which requires the permission to read them all.
    std::string namespace_name{};
    /// A label selector in Kubernetes' syntax, e.g. `app=llama,tier!=test`; empty = all objects.
    std::string label_selector{};
};

} // namespace wva_metrics::kubernetes
