// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <string>
#include <utility>

namespace wva_metrics {

/// Cost of one replica per hour where nobody gave one, in the caller's currency.
inline constexpr double default_variant_cost = 10.0;

/// A model as it is served in one namespace. The same model elsewhere is another key.
struct ModelKey {
    std::string namespace_name;
    std::string model_id;

    friend auto operator<=>(const ModelKey&, const ModelKey&) = default;
};

/// A variant autoscaling object by its name.
struct VariantKey {
    std::string namespace_name;
    std::string name;

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
