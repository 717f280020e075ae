// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <string>
#include <string_view>
#include <utility>

namespace wva_metrics {

/// Cost of one replica per hour where nobody gave one, in the caller's currency.
inline constexpr double default_variant_cost = 10.0;

/// The kind of workload that a variant scales where nobody gave one.
inline constexpr std::string_view default_target_kind = "Deployment";

// These have constructors, and are no aggregates, on purpose: GCC 12 compiles
// `co_await collect({.model_id = "m"}, token)` wrongly where the braces make an aggregate, and
// frees its strings twice.

/// A model as it is served in one namespace. The same model elsewhere is another key.
struct ModelKey {
    /// The Kubernetes namespace.
    std::string namespace_name;
    /// The model as its servers call it, e.g. `meta-llama/Llama-3.1-8B-Instruct`.
    std::string model_id;

    /// An empty key; no model has it.
    ModelKey() = default;
    /// The model `id` in a namespace.
    ModelKey(std::string in_namespace, std::string id)
        : namespace_name(std::move(in_namespace)), model_id(std::move(id)) {}

    /// By namespace, then model.
    friend auto operator<=>(const ModelKey&, const ModelKey&) = default;
};

/// A variant autoscaling object by its name.
struct VariantKey {
    /// The Kubernetes namespace.
    std::string namespace_name;
    /// The object's name.
    std::string name;

    /// An empty key; no variant has it.
    VariantKey() = default;
    /// The object `called` so in a namespace.
    VariantKey(std::string in_namespace, std::string called)
        : namespace_name(std::move(in_namespace)), name(std::move(called)) {}

    /// By namespace, then name.
    friend auto operator<=>(const VariantKey&, const VariantKey&) = default;
};

/// One variant of a model: a workload on one kind of accelerator at one cost.
struct VariantAutoscaling {
    /// The Kubernetes namespace of the object, its workload and its pods.
    std::string namespace_name;
    /// Name of the variant autoscaling object; often, not always, the deployment's.
    std::string name;
    /// The model as its servers call it.
    std::string model_id;
    /// Name of the workload that is scaled, whose pods are this variant's replicas: a Deployment,
    /// unless `target_kind` says otherwise.
    std::string deployment;
    /// What a replica runs on, e.g. `A100`; may be empty.
    std::string accelerator;
    /// Of one replica per hour, in the caller's currency.
    double cost = default_variant_cost;
    /// Kind of the workload: `Deployment`, `StatefulSet`, `LeaderWorkerSet`, ... It decides what
    /// the workload's pods are called, and tells workloads of one name apart. Kinds that are not
    /// known here, and none, count as one that names its pods as a Deployment does.
    std::string target_kind{default_target_kind};

    /// An empty variant, to be filled in.
    VariantAutoscaling() = default;
    /// All there is to say of a variant, in the order of the members.
    VariantAutoscaling(std::string in_namespace, std::string called, std::string model,
                       std::string scales, std::string on_accelerator = {},
                       double cost_per_hour = default_variant_cost,
                       std::string scales_kind = std::string(default_target_kind))
        : namespace_name(std::move(in_namespace)), name(std::move(called)),
          model_id(std::move(model)), deployment(std::move(scales)),
          accelerator(std::move(on_accelerator)), cost(cost_per_hour),
          target_kind(std::move(scales_kind)) {}

    /// The object's name.
    VariantKey key() const { return {namespace_name, name}; }
    /// The model it serves.
    ModelKey model() const { return {namespace_name, model_id}; }

    /// Whether a collection for one also answers for the other: cost and accelerator are joined in
    /// later.
    bool measures_the_same_as(const VariantAutoscaling& other) const noexcept {
        return name == other.name && deployment == other.deployment && model_id == other.model_id &&
               namespace_name == other.namespace_name && target_kind == other.target_kind;
    }

    /// Equal in every member.
    friend bool operator==(const VariantAutoscaling&, const VariantAutoscaling&) = default;
};

} // namespace wva_metrics
