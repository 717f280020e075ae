// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/attribution/deployment_index.hpp"
#include "wva_metrics/attribution/pod_owners.hpp"
#include "wva_metrics/metrics.hpp"
#include "wva_metrics/workload.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace wva_metrics {

/// Joins what was measured on a model's pods with one caller's variants.
///
/// A pod belongs to the variant whose workload owns it; cost, accelerator and names are the
/// variant's. The owner is whom `owners` names, else whom the sample names, else whom the pod's
/// name tells (`DeploymentIndex`); `ReplicaMetrics::attributed_by` says which of them did. A pod
/// whose owner is none of the variants' workloads is listed in `unattributed_pods` and in no
/// replica. Where `owners` know of the pods' lives too (`PodStates`), they are believed before the
/// sample: a pod that is gone is listed in `gone_pods`.
///
/// Variants of other models or namespaces are ignored. The order of the variants never matters. A
/// pod that is listed more than once counts once, as it is listed first.
template <PodOwners Owners = NoPodOwners>
ModelReplicas attribute(const ReplicaSamples& samples, std::span<const VariantAutoscaling> variants,
                        const Owners& owners = no_pod_owners) {
    const DeploymentIndex deployments(samples.model, variants);

    ModelReplicas joined;
    joined.model = samples.model;
    joined.gone_pods = samples.gone_pods;
    joined.partial = samples.partial;
    joined.warnings = samples.warnings;
    joined.warnings.insert(joined.warnings.end(), deployments.warnings().begin(),
                           deployments.warnings().end());

    std::vector<const ReplicaSample*> pods;
    pods.reserve(samples.pods.size());
    for (const ReplicaSample& sample : samples.pods)
        pods.push_back(&sample);
    std::ranges::stable_sort(pods, {}, &ReplicaSample::pod);

    const ReplicaSample* previous = nullptr;
    for (const ReplicaSample* sample : pods) {
        if (previous && previous->pod == sample->pod)
            continue;
        previous = sample;
        PodState state = sample->state;
        if constexpr (PodStates<Owners>) {
            const PodState known = owners.state_of(samples.model.namespace_name, sample->pod);
            state = known == PodState::unknown ? state : known;
        }
        if (state == PodState::gone) {
            joined.gone_pods.push_back(sample->pod);
            continue;
        }
        std::optional<PodOwner> owner = owners.find(samples.model.namespace_name, sample->pod);
        if (!owner)
            owner = sample->owner;
        const VariantAutoscaling* variant = deployments.owner_of(sample->pod, owner);
        if (!variant) {
            joined.unattributed_pods.push_back(sample->pod);
            continue;
        }
        ReplicaMetrics& replica = joined.replicas.emplace_back();
        replica.pod = sample->pod;
        replica.namespace_name = samples.model.namespace_name;
        replica.model_id = samples.model.model_id;
        replica.variant = variant->name;
        replica.deployment = variant->deployment;
        replica.accelerator = variant->accelerator;
        replica.cost = variant->cost;
        for (std::size_t i = 0; i < replica_readings<ReplicaSample>.size(); ++i)
            replica.*replica_readings<ReplicaMetrics>[i].member =
                sample->*replica_readings<ReplicaSample>[i].member;
        replica.attributed_by = owner ? owner->source : OwnerSource::pod_name;
        replica.state = state;
    }
    std::ranges::sort(joined.gone_pods);
    // The pods came sorted, and stay so within their variant.
    std::ranges::stable_sort(joined.replicas, {}, &ReplicaMetrics::variant);
    return joined;
}

} // namespace wva_metrics
