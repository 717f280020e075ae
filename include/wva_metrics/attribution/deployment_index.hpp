// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/attribution/detail/pod_name.hpp"
#include "wva_metrics/pod_owner.hpp"
#include "wva_metrics/workload.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace wva_metrics {

/// Answers which workload (most often a deployment), of the variants of one model, owns a pod.
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
        keep_one_per_workload();
    }

    /// The variant whose workload owns a pod, or null.
    ///
    /// With a known owner, it is decided by that alone: by its kind and name. A ReplicaSet belongs
    /// to the deployment (or rollout) whose name it carries before the hash, the StatefulSet of a
    /// LeaderWorkerSet's group to that one. Where no variant is of the owner's kind, one of the
    /// default kind and the owner's name has the pod: not every caller knows kinds.
    ///
    /// With none, the pod's name decides: it must be what Kubernetes makes of the workload's name.
    /// That is `<name>-<hash>-<suffix>`, cut where it is longer than a name may be, or
    /// `<name>-<ordinal>` for a StatefulSet, `<name>-<group>[-<worker>]` for a LeaderWorkerSet. A
    /// longer workload name goes before a shorter one; where a pod's name fits two equally well,
    /// neither gets it.
    const VariantAutoscaling* owner_of(std::string_view pod,
                                       const std::optional<PodOwner>& owner) const {
        return owner ? owner_by_reference(*owner) : owner_by_name(pod);
    }

    /// One sentence for each variant that names another one's workload; the first of them by name
    /// has its pods.
    const std::vector<std::string>& warnings() const noexcept { return warnings_; }

private:
    /// How a kind of workload names its pods.
    enum class Naming : std::uint8_t { hashed, numbered, grouped };

    /// A workload that may have a pod, by the pod's name.
    struct Candidate {
        std::string_view workload;
        Naming naming;
        std::size_t size() const noexcept { return workload.size(); }
    };

    static Naming naming_of(const VariantAutoscaling& variant) noexcept {
        if (variant.target_kind == "StatefulSet")
            return Naming::numbered;
        return variant.target_kind == "LeaderWorkerSet" ? Naming::grouped : Naming::hashed;
    }

    using Order = std::tuple<std::string_view, std::string_view, std::string_view, std::string_view,
                             std::uint64_t>;
    static Order order_of(const VariantAutoscaling& variant) {
        // The bits of the cost, because NaN has no order. Which one comes first means nothing, as
        // long as it is always the same.
        return Order(variant.deployment, variant.target_kind, variant.name, variant.accelerator,
                     std::bit_cast<std::uint64_t>(variant.cost));
    }

    void keep_one_per_workload() {
        std::vector<const VariantAutoscaling*> kept;
        kept.reserve(variants_.size());
        for (const VariantAutoscaling* variant : variants_) {
            if (kept.empty() || kept.back()->deployment != variant->deployment ||
                kept.back()->target_kind != variant->target_kind)
                kept.push_back(variant);
            else if (kept.back()->name != variant->name)
                warnings_.push_back(description(*variant) + " is named by variants '" +
                                    kept.back()->name + "' and '" + variant->name +
                                    "'; its pods are counted for the first alone");
            else if (order_of(*kept.back()) != order_of(*variant))
                warnings_.push_back(
                    "variant '" + variant->name +
                    "' was given more than once, with different accelerators or costs; "
                    "one of them is used throughout");
        }
        variants_ = std::move(kept);
    }

    static std::string description(const VariantAutoscaling& variant) {
        const bool is_default =
            variant.target_kind == default_target_kind || variant.target_kind.empty();
        return (is_default ? "deployment" : variant.target_kind) + " '" + variant.deployment + "'";
    }

    static std::string_view deployment_of(const VariantAutoscaling* variant) {
        return variant->deployment;
    }

    /// The variants, of any kind, whose workload has this name.
    std::span<const VariantAutoscaling* const> named(std::string_view workload) const {
        // Clang 14 cannot compile `std::ranges::equal_range` of libstdc++ 12.
        return {std::ranges::lower_bound(variants_, workload, {}, deployment_of),
                std::ranges::upper_bound(variants_, workload, {}, deployment_of)};
    }

    /// The only variant of this name that `fits`; null where there is none, or more than one.
    template <typename Fits>
    const VariantAutoscaling* only(std::string_view workload, Fits fits) const {
        const VariantAutoscaling* found = nullptr;
        for (const VariantAutoscaling* variant : named(workload)) {
            if (!fits(*variant))
                continue;
            if (found != nullptr)
                return nullptr;
            found = variant;
        }
        return found;
    }

    const VariantAutoscaling* only(std::string_view workload, Naming naming) const {
        return only(workload, [&](const VariantAutoscaling& variant) {
            return naming_of(variant) == naming;
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
        return only(owner.name, [](const VariantAutoscaling& variant) {
            return variant.target_kind == default_target_kind || variant.target_kind.empty();
        });
    }

    const VariantAutoscaling* owner_by_name(std::string_view pod) const {
        const detail::PodName name(pod);
        // Longest first: cut inside the workload's name, cut inside the hash, not cut.
        if (!name.cut_deployment.empty()) {
            const VariantAutoscaling* found = nullptr;
            for (auto it =
                     std::ranges::lower_bound(variants_, name.cut_deployment, {}, deployment_of);
                 it != variants_.end() && (*it)->deployment.starts_with(name.cut_deployment);
                 ++it) {
                if (naming_of(**it) != Naming::hashed)
                    continue;
                if (found != nullptr)
                    return nullptr;
                found = *it;
            }
            if (found != nullptr)
                return found;
        }
        const auto ordinal = detail::without_number(pod).value_or("");
        const auto group = detail::without_number(ordinal).value_or("");
        std::array candidates = {
            Candidate{name.before_cut_hash, Naming::hashed},
            Candidate{name.before_hash, Naming::hashed}, Candidate{ordinal, Naming::numbered},
            Candidate{ordinal, Naming::grouped}, Candidate{group, Naming::grouped}};
        std::ranges::stable_sort(candidates, std::greater(), &Candidate::size);
        for (std::size_t i = 0; i < candidates.size() && candidates[i].size() > 0;) {
            // All are beginnings of one name, so those of one length are the same.
            const std::size_t first = i;
            while (i < candidates.size() && candidates[i].size() == candidates[first].size())
                ++i;
            const std::span alike(candidates.data() + first, i - first);
            const VariantAutoscaling* found = nullptr;
            for (const VariantAutoscaling* variant : named(alike.front().workload)) {
                if (std::ranges::find(alike, naming_of(*variant), &Candidate::naming) ==
                    alike.end())
                    continue;
                if (found != nullptr)
                    return nullptr;
                found = variant;
            }
            if (found != nullptr)
                return found;
        }
        return nullptr;
    }

    /// Sorted by workload, each one once.
    std::vector<const VariantAutoscaling*> variants_;
    std::vector<std::string> warnings_;
};

} // namespace wva_metrics
