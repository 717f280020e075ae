// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <string>
#include <string_view>
#include <utility>

namespace wva_metrics {

/// Default cost of one replica per hour, in the caller's currency.
inline constexpr double default_variant_cost = 10.0;

/// Default kind of the workload that a variant scales.
inline constexpr std::string_view default_target_kind = "Deployment";

// These types have constructors and are not aggregates, on purpose: GCC 12 miscompiles
// `co_await collect({.model_id = "m"}, token)` if the braces initialize an aggregate, and frees its
// strings twice.

/// A model that is served in one namespace. The same model in another namespace has another key.
struct ModelKey {
    /// The Kubernetes namespace.
    std::string namespace_name;
    /// The name that the model's servers report, e.g. `meta-llama/Llama-3.1-8B-Instruct`.
    std::string model_id;

    /// An empty key, which no model has.
    ModelKey() = default;
    /// All members, in their order.
    ModelKey(std::string kubernetes_namespace, std::string model)
        : namespace_name(std::move(kubernetes_namespace)), model_id(std::move(model)) {}

    /// By namespace, then model.
    friend auto operator<=>(const ModelKey&, const ModelKey&) = default;
};

/// The name of a variant autoscaling object.
struct VariantKey {
    /// The Kubernetes namespace.
    std::string namespace_name;
    /// The object's name.
    std::string name;

    /// An empty key, which no variant has.
    VariantKey() = default;
    /// All members, in their order.
    VariantKey(std::string kubernetes_namespace, std::string object_name)
        : namespace_name(std::move(kubernetes_namespace)), name(std::move(object_name)) {}

    /// By namespace, then name.
    friend auto operator<=>(const VariantKey&, const VariantKey&) = default;
};

/// One variant of a model: a workload on one kind of accelerator at one cost.
struct VariantAutoscaling {
    /// The Kubernetes namespace of the object, its workload and its pods.
    std::string namespace_name;
    /// Name of the variant autoscaling object; often, but not always, the same as `deployment`.
    std::string name;
    /// The name that the model's servers report.
    std::string model_id;
    /// Name of the scaled workload, whose pods are this variant's replicas. `target_kind` is its
    /// kind.
    std::string deployment;
    /// The accelerator of a replica, e.g. `A100`; may be empty.
    std::string accelerator;
    /// Cost of one replica per hour, in the caller's currency.
    double cost = default_variant_cost;
    /// Kind of the workload: `Deployment`, `StatefulSet`, `LeaderWorkerSet`, ... It determines how
    /// pods are named, and distinguishes workloads with the same name. The pods of an unknown or
    /// empty kind are matched as those of a Deployment.
    std::string target_kind{default_target_kind};

    /// An empty variant, to be filled in by the caller.
    VariantAutoscaling() = default;
    /// All members, in their order.
    VariantAutoscaling(std::string kubernetes_namespace, std::string object_name, std::string model,
                       std::string workload, std::string accelerator_name = {},
                       double cost_per_hour = default_variant_cost,
                       std::string workload_kind = std::string(default_target_kind))
        : namespace_name(std::move(kubernetes_namespace)), name(std::move(object_name)),
          model_id(std::move(model)), deployment(std::move(workload)),
          accelerator(std::move(accelerator_name)), cost(cost_per_hour),
          target_kind(std::move(workload_kind)) {}

    /// The object's name.
    VariantKey key() const { return {namespace_name, name}; }
    /// The model it serves.
    ModelKey model() const { return {namespace_name, model_id}; }

    /// Whether metrics collected for one variant are also valid for the other. Cost and accelerator
    /// do not matter, because they are added during attribution.
    bool has_same_metrics_as(const VariantAutoscaling& other) const noexcept {
        return name == other.name && deployment == other.deployment && model_id == other.model_id &&
               namespace_name == other.namespace_name && target_kind == other.target_kind;
    }

    /// Equal in every member.
    friend bool operator==(const VariantAutoscaling&, const VariantAutoscaling&) = default;
};

} // namespace wva_metrics
