// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/attribution/detail/pod_name.hpp"
#include "wva_metrics/attribution/detail/workload_table.hpp"
#include "wva_metrics/pod_owner.hpp"
#include "wva_metrics/workload.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace wva_metrics {

/// Finds the workload (usually a deployment) that owns a pod, among the variants of one model.
///
/// Points into the variants it was made from, which must outlive it.
///
/// **Threads:** safe.
class DeploymentIndex {
public:
    /// Variants of other models or namespaces, and those without a deployment, are ignored. `others`
    /// are variants that claim pods too, but are not asked about; see `KnownWorkloads`. They must not
    /// have a workload of `variants`.
    DeploymentIndex(const ModelKey& model, std::span<const VariantAutoscaling> variants,
                    std::span<const VariantAutoscaling> others = {})
        : workloads_(model, variants, others), others_(others) {}

    /// The variant whose workload owns a pod, or null, also if it is one of the others.
    ///
    /// If the owner is known, only its kind and name count. A ReplicaSet belongs to the Deployment
    /// (or Rollout) whose name precedes the hash in its own. The StatefulSet of a LeaderWorkerSet's
    /// group belongs to that LeaderWorkerSet. If no variant has the owner's kind, a variant of the
    /// default kind with the owner's name matches, because not every caller sets kinds.
    ///
    /// Otherwise the pod's name must be one that Kubernetes builds from the workload's name:
    /// `<name>-<hash>-<suffix>`, truncated if it is too long, `<name>-<ordinal>` for a StatefulSet,
    /// or `<name>-<group>[-<worker>]` for a LeaderWorkerSet. The longest workload name wins. If two
    /// workloads match equally well, the result is null.
    const VariantAutoscaling* owner_of(std::string_view pod,
                                       const std::optional<PodOwner>& owner) const {
        const VariantAutoscaling* variant = owner ? owner_by_reference(*owner) : owner_by_name(pod);
        return is_other(variant) ? nullptr : variant;
    }

    /// One sentence for each variant whose workload another variant targets too. The first variant
    /// by name gets the pods.
    const std::vector<std::string>& warnings() const noexcept { return workloads_.warnings(); }

private:
    using Naming = detail::PodNaming;

    /// A workload that a pod may belong to, according to the pod's name.
    struct Candidate {
        std::string_view workload;
        Naming naming;
        std::size_t size() const noexcept { return workload.size(); }
    };

    bool is_other(const VariantAutoscaling* variant) const noexcept {
        const std::less<> before; // A total order, also of pointers into different arrays.
        return !others_.empty() && !before(variant, others_.data()) &&
               before(variant, others_.data() + others_.size());
    }

    template <typename Matches>
    const VariantAutoscaling* only(std::string_view workload, Matches matches) const {
        return detail::find_only(workloads_.named(workload), matches).variant;
    }
    const VariantAutoscaling* only(std::string_view workload, Naming naming) const {
        return only(workload, [&](const VariantAutoscaling& variant) {
            return detail::naming_of(variant) == naming;
        });
    }

    const VariantAutoscaling* owner_by_reference(const PodOwner& owner) const {
        const auto same_kind = [&](const VariantAutoscaling& variant) {
            return variant.target_kind == owner.kind;
        };
        if (const VariantAutoscaling* variant = only(owner.name, same_kind))
            return variant;
        if (owner.kind == "ReplicaSet") {
            const auto name = detail::without_hash(owner.name);
            return name ? only(*name, Naming::hashed) : nullptr;
        }
        if (owner.kind == "StatefulSet") {
            if (const VariantAutoscaling* variant = only(owner.name, Naming::grouped))
                return variant;
            const auto name = detail::without_number(owner.name);
            if (const VariantAutoscaling* variant = name ? only(*name, Naming::grouped) : nullptr)
                return variant;
        }
        return only(owner.name, detail::has_default_kind);
    }

    const VariantAutoscaling* owner_by_name(std::string_view pod) const {
        const detail::PodName name(pod);
        // Longest first: truncated within the workload's name, within the hash, not truncated.
        if (!name.cut_deployment.empty()) {
            const auto is_hashed = [](const VariantAutoscaling& variant) {
                return detail::naming_of(variant) == Naming::hashed;
            };
            const detail::VariantMatch match =
                detail::find_only(workloads_.starting_with(name.cut_deployment), is_hashed);
            if (match.variant != nullptr || match.ambiguous)
                return match.variant;
        }
        const auto ordinal = detail::without_number(pod).value_or("");
        const auto group = detail::without_number(ordinal).value_or("");
        return longest_match({{{name.before_cut_hash, Naming::hashed},
                               {name.before_hash, Naming::hashed},
                               {ordinal, Naming::numbered},
                               {ordinal, Naming::grouped},
                               {group, Naming::grouped}}});
    }

    const VariantAutoscaling* longest_match(std::array<Candidate, 5> candidates) const {
        std::ranges::stable_sort(candidates, std::greater(), &Candidate::size);
        for (std::size_t i = 0; i < candidates.size() && candidates[i].size() > 0;) {
            // All candidates are prefixes of one name, so those of one length are the same name.
            const std::size_t first = i;
            while (i < candidates.size() && candidates[i].size() == candidates[first].size())
                ++i;
            const std::span same_name(candidates.data() + first, i - first);
            const detail::VariantMatch match = detail::find_only(
                workloads_.named(same_name.front().workload),
                [&](const VariantAutoscaling& variant) {
                    return std::ranges::find(same_name, detail::naming_of(variant),
                                             &Candidate::naming) != same_name.end();
                });
            if (match.variant != nullptr || match.ambiguous)
                return match.variant;
        }
        return nullptr;
    }

    detail::WorkloadTable workloads_;
    std::span<const VariantAutoscaling> others_;
};

} // namespace wva_metrics
