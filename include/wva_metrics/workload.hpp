// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <string>
#include <utility>

namespace wva_metrics {

/// Cost of one replica per hour where nobody gave one, in the caller's currency.
inline constexpr double default_variant_cost = 10.0;

// These have constructors, and are no aggregates, on purpose: GCC 12 compiles
// `co_await collect({.model_id = "m"}, token)` wrongly where the braces make an aggregate, and
// frees its strings twice.

/// A model as it is served in one namespace. The same model elsewhere is another key.
struct ModelKey {
    std::string namespace_name;
    std::string model_id;

    ModelKey() = default;
    ModelKey(std::string in_namespace, std::string id)
        : namespace_name(std::move(in_namespace)), model_id(std::move(id)) {}

    friend auto operator<=>(const ModelKey&, const ModelKey&) = default;
};

/// A variant autoscaling object by its name.
struct VariantKey {
    std::string namespace_name;
    std::string name;

    VariantKey() = default;
    VariantKey(std::string in_namespace, std::string called)
        : namespace_name(std::move(in_namespace)), name(std::move(called)) {}

    friend auto operator<=>(const VariantKey&, const VariantKey&) = default;
};

/// One variant of a model: a deployment on one kind of accelerator at one cost.
struct VariantAutoscaling {
    std::string namespace_name;
    /// Name of the variant autoscaling object; often, not always, the deployment's.
    std::string name;
    std::string model_id;
    /// The workload that is scaled, whose pods are this variant's replicas.
    std::string deployment;
    std::string accelerator;
    /// Of one replica per hour, in the caller's currency.
    double cost = default_variant_cost;

    VariantAutoscaling() = default;
    VariantAutoscaling(std::string in_namespace, std::string called, std::string model,
                       std::string scales, std::string on_accelerator = {},
                       double cost_per_hour = default_variant_cost)
        : namespace_name(std::move(in_namespace)), name(std::move(called)),
          model_id(std::move(model)), deployment(std::move(scales)),
          accelerator(std::move(on_accelerator)), cost(cost_per_hour) {}

    VariantKey key() const { return {namespace_name, name}; }
    ModelKey model() const { return {namespace_name, model_id}; }

    /// Whether a collection for one also answers for the other: cost and accelerator are joined in
    /// later.
    bool measures_the_same_as(const VariantAutoscaling& other) const noexcept {
        return name == other.name && deployment == other.deployment && model_id == other.model_id &&
               namespace_name == other.namespace_name;
    }

    friend bool operator==(const VariantAutoscaling&, const VariantAutoscaling&) = default;
};

} // namespace wva_metrics
