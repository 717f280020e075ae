// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/workload.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace wva_metrics::detail {

/// How a kind of workload names its pods.
enum class PodNaming : std::uint8_t {
    /// `<name>-<hash>-<suffix>`
    hashed,
    /// `<name>-<ordinal>`
    numbered,
    /// `<name>-<group>[-<worker>]`
    grouped,
};

/// How the workload of a variant names its pods.
inline PodNaming naming_of(const VariantAutoscaling& variant) noexcept {
    if (variant.target_kind == "StatefulSet")
        return PodNaming::numbered;
    return variant.target_kind == "LeaderWorkerSet" ? PodNaming::grouped : PodNaming::hashed;
}

/// Whether the workload of a variant is of the default kind.
inline bool has_default_kind(const VariantAutoscaling& variant) noexcept {
    return variant.target_kind == default_target_kind || variant.target_kind.empty();
}

/// The variants of one model, one per workload, sorted by the workload's name. Points into the
/// variants it was made from.
class WorkloadTable {
public:
    /// Variants of other models or namespaces, and those without a deployment, are ignored.
    WorkloadTable(const ModelKey& model, std::span<const VariantAutoscaling> variants,
                  std::span<const VariantAutoscaling> others = {}) {
        for (const auto& each : {variants, others})
            for (const VariantAutoscaling& variant : each)
                if (variant.namespace_name == model.namespace_name &&
                    variant.model_id == model.model_id && !variant.deployment.empty())
                    variants_.push_back(&variant);
        std::ranges::sort(variants_, {},
                          [](const VariantAutoscaling* variant) { return order_of(*variant); });
        keep_one_per_workload();
    }

    /// One sentence for each variant whose workload belongs to an earlier variant.
    const std::vector<std::string>& warnings() const noexcept { return warnings_; }

    /// The variants, of any kind, whose workload has this name.
    std::span<const VariantAutoscaling* const> named(std::string_view workload) const {
        // Clang 14 cannot compile `std::ranges::equal_range` of libstdc++ 12.
        return {std::ranges::lower_bound(variants_, workload, {}, name_of),
                std::ranges::upper_bound(variants_, workload, {}, name_of)};
    }

    /// The variants, of any kind, whose workload's name starts with `beginning`.
    std::span<const VariantAutoscaling* const> starting_with(std::string_view beginning) const {
        const auto first = std::ranges::lower_bound(variants_, beginning, {}, name_of);
        const auto last =
            std::find_if(first, variants_.end(), [&](const VariantAutoscaling* variant) {
                return !variant->deployment.starts_with(beginning);
            });
        return {first, last};
    }

private:
    using Order = std::tuple<std::string_view, std::string_view, std::string_view, std::string_view,
                             std::uint64_t>;
    static Order order_of(const VariantAutoscaling& variant) {
        // The bits of the cost, because NaN has no order. Any order will do, if it is always the
        // same.
        return Order(variant.deployment, variant.target_kind, variant.name, variant.accelerator,
                     std::bit_cast<std::uint64_t>(variant.cost));
    }

    static std::string_view name_of(const VariantAutoscaling* variant) {
        return variant->deployment;
    }

    static std::string description(const VariantAutoscaling& variant) {
        return (has_default_kind(variant) ? "deployment" : variant.target_kind) + " '" +
               variant.deployment + "'";
    }

    void keep_one_per_workload() {
        std::vector<const VariantAutoscaling*> kept;
        kept.reserve(variants_.size());
        for (const VariantAutoscaling* variant : variants_) {
            if (kept.empty() || kept.back()->deployment != variant->deployment ||
                kept.back()->target_kind != variant->target_kind)
                kept.push_back(variant);
            else if (kept.back()->name != variant->name)
                warnings_.push_back(description(*variant) + " is the target of variants '" +
                                    kept.back()->name + "' and '" + variant->name +
                                    "'; its pods are attributed to the first one only");
            else if (order_of(*kept.back()) != order_of(*variant))
                warnings_.push_back(
                    "variant '" + variant->name +
                    "' is given more than once, with different accelerators or costs; "
                    "one of them is used throughout");
        }
        variants_ = std::move(kept);
    }

    std::vector<const VariantAutoscaling*> variants_;
    std::vector<std::string> warnings_;
};

/// The result of a search that must find exactly one variant.
struct VariantMatch {
    /// Null if none matched, or more than one.
    const VariantAutoscaling* variant = nullptr;
    /// More than one matched.
    bool ambiguous = false;
};

/// The only variant in `variants` that `matches`.
template <typename Matches>
VariantMatch find_only(std::span<const VariantAutoscaling* const> variants, Matches matches) {
    VariantMatch found;
    for (const VariantAutoscaling* variant : variants) {
        if (!matches(*variant))
            continue;
        if (found.variant != nullptr)
            return {.variant = nullptr, .ambiguous = true};
        found.variant = variant;
    }
    return found;
}

} // namespace wva_metrics::detail
