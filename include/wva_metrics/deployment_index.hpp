// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/pod_name.hpp"
#include "wva_metrics/metrics.hpp"
#include "wva_metrics/workload.hpp"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace wva_metrics {

/// Answers which deployment, of the variants of one model, owns a pod.
///
/// Points into the variants it was made from, which must outlive it. Any number of threads may ask
/// at once.
class DeploymentIndex {
public:
    /// Variants of other models or namespaces, and those without a deployment, are ignored.
    DeploymentIndex(const ModelKey& model, std::span<const VariantAutoscaling> variants) {
        for (const VariantAutoscaling& variant : variants) {
            if (variant.namespace_name == model.namespace_name &&
                variant.model_id == model.model_id && !variant.deployment.empty())
                variants_.push_back(&variant);
        }
        std::ranges::sort(variants_, {},
                          [](const VariantAutoscaling* variant) { return order_of(*variant); });
        keep_one_per_deployment();
    }

    /// The variant whose deployment owns a pod, or null.
    ///
    /// With a known owner, it is decided by that alone: a ReplicaSet belongs to the deployment
    /// whose name it carries before the hash, anything else is looked for by its own name. With
    /// none, the pod's name decides: it must be what Kubernetes makes of the deployment's name,
    /// `<deployment>-<hash>-<suffix>`, cut where that is longer than a name may be. A longer
    /// deployment name goes before a shorter one; where a cut name fits two deployments equally
    /// well, neither gets it.
    const VariantAutoscaling* owner_of(std::string_view pod,
                                       const std::optional<PodOwner>& owner) const {
        if (!owner)
            return owner_by_name(pod);
        if (owner->kind != "ReplicaSet")
            return find(owner->name);
        const std::optional<std::string_view> deployment = detail::without_hash(owner->name);
        return deployment ? find(*deployment) : nullptr;
    }

    /// One sentence for each variant that names another one's deployment; the first of them by name
    /// has its pods.
    const std::vector<std::string>& warnings() const noexcept { return warnings_; }

private:
    using Order = std::tuple<std::string_view, std::string_view, std::string_view, std::uint64_t>;
    static Order order_of(const VariantAutoscaling& variant) {
        // The bits of the cost, because NaN has no order. Which one comes first means nothing, as
        // long as it is always the same.
        return Order(variant.deployment, variant.name, variant.accelerator,
                     std::bit_cast<std::uint64_t>(variant.cost));
    }

    void keep_one_per_deployment() {
        std::vector<const VariantAutoscaling*> kept;
        kept.reserve(variants_.size());
        for (const VariantAutoscaling* variant : variants_) {
            if (kept.empty() || kept.back()->deployment != variant->deployment)
                kept.push_back(variant);
            else if (kept.back()->name != variant->name)
                warnings_.push_back("deployment '" + variant->deployment +
                                    "' is named by variants '" + kept.back()->name + "' and '" +
                                    variant->name + "'; its pods are counted for the first alone");
            else if (order_of(*kept.back()) != order_of(*variant))
                warnings_.push_back(
                    "variant '" + variant->name +
                    "' was given more than once, with different accelerators or costs; "
                    "one of them is used throughout");
        }
        variants_ = std::move(kept);
    }

    static std::string_view deployment_of(const VariantAutoscaling* variant) {
        return variant->deployment;
    }

    const VariantAutoscaling* find(std::string_view deployment) const {
        const auto found = std::ranges::lower_bound(variants_, deployment, {}, deployment_of);
        return found != variants_.end() && (*found)->deployment == deployment ? *found : nullptr;
    }

    const VariantAutoscaling* owner_by_name(std::string_view pod) const {
        const detail::PodName name(pod);
        // Longest first: cut inside the deployment's name, cut inside the hash, not cut.
        if (!name.cut_deployment.empty()) {
            const auto first =
                std::ranges::lower_bound(variants_, name.cut_deployment, {}, deployment_of);
            const auto fits = [&](auto position) {
                return position != variants_.end() &&
                       (*position)->deployment.starts_with(name.cut_deployment);
            };
            if (fits(first))
                return fits(first + 1) ? nullptr : *first;
        }
        for (const std::string_view deployment : {name.before_cut_hash, name.before_hash}) {
            if (const VariantAutoscaling* variant = find(deployment))
                return variant;
        }
        return nullptr;
    }

    /// Sorted by deployment, each one once.
    std::vector<const VariantAutoscaling*> variants_;
    std::vector<std::string> warnings_;
};

} // namespace wva_metrics
