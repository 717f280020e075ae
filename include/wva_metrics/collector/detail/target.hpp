// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/cache/cache_entry.hpp"
#include "wva_metrics/cache/cache_key.hpp"
#include "wva_metrics/collector/detail/identity_limits.hpp"
#include "wva_metrics/workload.hpp"

#include <concepts>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace wva_metrics::detail {

/// Requests a variant's optimizer metrics.
struct OptimizerTarget {
    VariantAutoscaling variant;
};
/// Requests a model's replica samples.
struct ReplicaTarget {
    ModelKey model;
};
/// Requests whether a model's metrics exist.
struct AvailabilityTarget {
    ModelKey model;
};

/// What a flight fetches. The alternatives are in the order of `EntryKind` and `CachePayload`.
using Target = std::variant<OptimizerTarget, ReplicaTarget, AvailabilityTarget>;
static_assert(std::variant_size_v<Target> == std::variant_size_v<CachePayload>);
template <EntryKind Kind, typename T, typename Payload>
inline constexpr bool is_kind_of =
    std::same_as<std::variant_alternative_t<static_cast<std::size_t>(Kind), Target>, T>&&
        std::same_as<std::variant_alternative_t<static_cast<std::size_t>(Kind), CachePayload>,
                     Payload>;
static_assert(is_kind_of<EntryKind::optimizer, OptimizerTarget, OptimizerMetrics>);
static_assert(is_kind_of<EntryKind::replica, ReplicaTarget, ReplicaSamples>);
static_assert(is_kind_of<EntryKind::availability, AvailabilityTarget, Availability>);

/// A target that is a model.
template <typename T>
concept ModelTarget = std::same_as<T, ReplicaTarget> || std::same_as<T, AvailabilityTarget>;

/// Shared: tracked targets are fetched every round, and copying their strings would dominate a
/// flight's cost.
using TargetPtr = std::shared_ptr<const Target>;

/// The kind of entry that answers a target.
inline EntryKind kind_of(const Target& target) noexcept {
    return static_cast<EntryKind>(target.index());
}

///@{
/// The key under which the answer is cached. A view: the target must outlive it.
inline CacheKeyView key_of(const OptimizerTarget& target) noexcept {
    return optimizer_key(target.variant.namespace_name, target.variant.name);
}
inline CacheKeyView key_of(const ReplicaTarget& target) noexcept {
    return replica_key(target.model);
}
inline CacheKeyView key_of(const AvailabilityTarget& target) noexcept {
    return availability_key(target.model);
}
inline CacheKeyView key_of(const Target& target) noexcept {
    return std::visit([](const auto& each) { return key_of(each); }, target);
}
///@}

/// True if one answer serves both. Cost and accelerator do not change what is measured.
inline bool is_same_target(const Target& a, const Target& b) noexcept {
    const auto* first = std::get_if<OptimizerTarget>(&a);
    const auto* second = std::get_if<OptimizerTarget>(&b);
    return first != nullptr && second != nullptr
               ? first->variant.has_same_metrics_as(second->variant)
               : key_of(a) == key_of(b);
}

/// Why no cluster has such a model; empty if one could.
inline std::optional<std::string> model_problem(std::string_view namespace_name,
                                                std::string_view model_id) {
    const auto id = [] { return std::string("the model id"); };
    if (auto reason = name_problem(id, model_id, max_model_id_bytes))
        return reason;
    const auto its_namespace = [&] {
        return "the namespace of model '" + shown_name(model_id) + "'";
    };
    return name_problem(its_namespace, namespace_name, max_object_name_bytes);
}

///@{
/// Why this cannot be sent to a backend; empty if it can. No cluster has such names. Does not
/// allocate if it can.
inline std::optional<std::string> rejection_reason(const ModelKey& model) {
    return model_problem(model.namespace_name, model.model_id);
}
inline std::optional<std::string> rejection_reason(const OptimizerTarget& target) {
    const VariantAutoscaling& variant = target.variant;
    const auto name = [&] {
        return "the name of a variant of model '" + shown_name(variant.model_id) + "'";
    };
    if (auto reason = name_problem(name, variant.name, max_object_name_bytes))
        return reason;
    const auto deployment = [&] {
        return "the deployment of variant '" + shown_name(variant.name) + "'";
    };
    if (auto reason = name_problem(deployment, variant.deployment, max_object_name_bytes))
        return reason;
    const auto kind = [&] { return "the kind of variant '" + shown_name(variant.name) + "'"; };
    if (!variant.target_kind.empty())
        if (auto reason = name_problem(kind, variant.target_kind, max_object_name_bytes))
            return reason;
    return model_problem(variant.namespace_name, variant.model_id);
}
inline std::optional<std::string> rejection_reason(const ModelTarget auto& target) {
    return rejection_reason(target.model);
}
inline std::optional<std::string> rejection_reason(const Target& target) {
    return std::visit([](const auto& each) { return rejection_reason(each); }, target);
}
///@}

///@{
/// For an entry that was found under the target's key. False if the variant's workload or model has
/// changed since the entry was fetched.
inline bool is_entry_for(const CacheEntry& entry, const OptimizerTarget& target) noexcept {
    const auto* metrics = entry.get<OptimizerMetrics>();
    return metrics != nullptr && metrics->deployment == target.variant.deployment &&
           metrics->model_id == target.variant.model_id &&
           metrics->target_kind == target.variant.target_kind;
}
inline bool is_entry_for(const CacheEntry& /*entry*/, const ModelTarget auto& /*target*/) noexcept {
    return true;
}
inline bool is_entry_for(const CacheEntry& entry, const Target& target) noexcept {
    return std::visit([&](const auto& each) { return is_entry_for(entry, each); }, target);
}
///@}

/// Whether the target is something of this model.
inline bool is_of_model(const Target& target, const ModelKey& model) noexcept {
    if (const auto* optimizer = std::get_if<OptimizerTarget>(&target))
        return optimizer->variant.namespace_name == model.namespace_name &&
               optimizer->variant.model_id == model.model_id;
    const CacheKeyView key = key_of(target);
    return key.namespace_name == model.namespace_name && key.name == model.model_id;
}

/// The target whose answer replaces this entry.
inline Target target_of(const CacheKeyView& key, const CacheEntry& entry) {
    if (const auto* metrics = entry.get<OptimizerMetrics>())
        return OptimizerTarget{VariantAutoscaling(metrics->namespace_name, metrics->variant,
                                                  metrics->model_id, metrics->deployment, {},
                                                  default_variant_cost, metrics->target_kind)};
    ModelKey model{std::string(key.namespace_name), std::string(key.name)};
    if (key.kind == EntryKind::availability)
        return AvailabilityTarget{std::move(model)};
    return ReplicaTarget{std::move(model)};
}

} // namespace wva_metrics::detail
