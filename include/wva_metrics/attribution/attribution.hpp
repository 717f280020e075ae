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

/// Attributes the samples of a model's pods to one caller's variants.
///
/// A pod belongs to the variant whose workload owns it. Cost, accelerator and names are the
/// variant's. The owner of a pod comes from `owners`, else from the sample, else from the pod's
/// name (`DeploymentIndex`); `ReplicaMetrics::attributed_by` tells which. A pod whose owner is not
/// a workload of these variants is listed in `unattributed_pods` and is not a replica.
///
/// If `owners` also know the states of pods (`PodStates`), these take precedence over the states in
/// the samples. A pod that is gone is listed in `gone_pods`.
///
/// Variants of other models or namespaces are ignored. The order of the variants does not matter. A
/// pod that is listed more than once counts once, with its first sample.
///
/// `others` are further variants of the model, whose pods are nobody's here. Where only its name
/// tells whose a pod is, it may fit several workloads; with all that are known in `others`, two
/// callers with different variants never both get it. They must not have a workload of `variants`;
/// see `KnownWorkloads::others`.
template <PodOwners Owners = NoPodOwners>
ModelReplicas attribute(const ReplicaSamples& samples, std::span<const VariantAutoscaling> variants,
                        const Owners& owners = no_pod_owners,
                        std::span<const VariantAutoscaling> others = {}) {
    const DeploymentIndex deployments(samples.model, variants, others);

    ModelReplicas attributed;
    attributed.model = samples.model;
    attributed.gone_pods = samples.gone_pods;
    attributed.partial = samples.partial;
    attributed.warnings = samples.warnings;
    attributed.warnings.insert(attributed.warnings.end(), deployments.warnings().begin(),
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
            attributed.gone_pods.push_back(sample->pod);
            continue;
        }
        std::optional<PodOwner> owner = owners.find(samples.model.namespace_name, sample->pod);
        if (!owner)
            owner = sample->owner;
        const VariantAutoscaling* variant = deployments.owner_of(sample->pod, owner);
        if (!variant) {
            attributed.unattributed_pods.push_back(sample->pod);
            continue;
        }
        ReplicaMetrics& replica = attributed.replicas.emplace_back();
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
        replica.last_sample_at = sample->last_sample_at;
        replica.engine = sample->engine;
        replica.role = sample->role;
        replica.optional = sample->optional;
    }
    std::ranges::sort(attributed.gone_pods);
    // The pods are sorted already; a stable sort keeps their order within a variant.
    std::ranges::stable_sort(attributed.replicas, {}, &ReplicaMetrics::variant);
    return attributed;
}

} // namespace wva_metrics
