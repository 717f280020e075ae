// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/metrics.hpp"
#include "wva_metrics/pod_owner.hpp"
#include "wva_metrics/workload.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics::test_support::replicas {

using Names = std::vector<std::string>;

inline const ModelKey model{"prod", "meta-llama/Llama-3.1-8B"};

inline VariantAutoscaling variant_of(const std::string& deployment, const std::string& name = "",
                                     double cost = 10.0) {
    return {model.namespace_name,
            name.empty() ? deployment : name,
            model.model_id,
            deployment,
            "A100",
            cost};
}

inline std::vector<VariantAutoscaling> variants_of(const Names& deployments) {
    std::vector<VariantAutoscaling> variants;
    for (const std::string& deployment : deployments)
        variants.push_back(variant_of(deployment));
    return variants;
}

inline ReplicaSample sample_of(const std::string& pod,
                               std::optional<PodOwner> owner = std::nullopt) {
    ReplicaSample sample;
    sample.pod = pod;
    sample.owner = std::move(owner);
    return sample;
}

inline ReplicaSamples samples_of(const Names& pods) {
    ReplicaSamples samples;
    samples.model = model;
    for (const std::string& pod : pods)
        samples.pods.push_back(sample_of(pod));
    return samples;
}

inline VariantAutoscaling variant_of_kind(const std::string& kind, const std::string& deployment) {
    VariantAutoscaling variant = variant_of(deployment, kind + " " + deployment);
    variant.target_kind = kind;
    return variant;
}

} // namespace wva_metrics::test_support::replicas
