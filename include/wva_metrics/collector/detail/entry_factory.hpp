// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/collector/detail/carry_over.hpp"
#include "wva_metrics/collector/detail/flight.hpp"
#include "wva_metrics/config.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace wva_metrics::detail {

/// A cached entry may answer another target under the same key: a variant that scales another
/// deployment now.
inline bool answers(const CacheEntry& entry, const VariantAutoscaling& variant) noexcept {
    const auto* metrics = entry.get<OptimizerMetrics>();
    return metrics != nullptr && metrics->deployment == variant.deployment &&
           metrics->model_id == variant.model_id && metrics->target_kind == variant.target_kind;
}

/// The samples of a model answer whatever is asked of it.
inline bool answers(const CacheEntry& entry, const Target& target) noexcept {
    const auto* variant = std::get_if<VariantAutoscaling>(&target);
    return variant == nullptr || answers(entry, *variant);
}

/// Whether a caller may join a flight: cost and accelerator do not change what is measured.
inline bool same_target(const Target& a, const Target& b) noexcept {
    const auto* first = std::get_if<VariantAutoscaling>(&a);
    const auto* second = std::get_if<VariantAutoscaling>(&b);
    return first != nullptr && second != nullptr ? first->measures_the_same_as(*second) : a == b;
}

/// What to ask for a newer entry of this key.
inline Target target_of(const CacheKeyView& key, const CacheEntry& entry) {
    const auto* metrics = entry.get<OptimizerMetrics>();
    if (metrics == nullptr)
        return ModelKey{std::string(key.namespace_name), std::string(key.name)};
    VariantAutoscaling variant;
    variant.namespace_name = metrics->namespace_name;
    variant.name = metrics->variant;
    variant.model_id = metrics->model_id;
    variant.deployment = metrics->deployment;
    variant.target_kind = metrics->target_kind;
    return variant;
}

/// Says whose answer it is. A backend need not: the collector knows what it asked.
inline void identify(const Target& target, CachePayload& payload) {
    if (auto* samples = std::get_if<ReplicaSamples>(&payload)) {
        samples->model = std::get<ModelKey>(target);
    } else if (auto* metrics = std::get_if<OptimizerMetrics>(&payload)) {
        const auto& variant = std::get<VariantAutoscaling>(target);
        metrics->namespace_name = variant.namespace_name;
        metrics->variant = variant.name;
        metrics->model_id = variant.model_id;
        metrics->deployment = variant.deployment;
        metrics->target_kind = variant.target_kind;
    }
}

/// From when on a reading may stand in for one that the backend failed to give: it is served no
/// longer than an entry is when the backend fails.
inline TimePoint oldest_carried(const CacheConfig& config, TimePoint asked_at) noexcept {
    return config.stale_if_error > Duration::zero() ? asked_at - config.ttl - config.stale_if_error
                                                    : TimePoint::max();
}

/// Carries over from the previous entry what the backend failed to give this time, unless it is
/// older than `oldest`.
inline void keep_known(const CacheEntry& previous, CachePayload& payload, TimePoint oldest) {
    std::visit(
        [&]<typename T>(T& now) {
            if constexpr (!std::is_same_v<T, Availability>) {
                if (const T* before = previous.get<T>())
                    carry_over(*before, now, oldest);
            }
        },
        payload);
}

inline const std::vector<std::string>* warnings_of(const CacheEntry& entry) noexcept {
    if (const auto* metrics = entry.get<OptimizerMetrics>())
        return &metrics->warnings;
    if (const auto* samples = entry.get<ReplicaSamples>())
        return &samples->warnings;
    return nullptr;
}

/// How long an answer is a hit: the TTL, or less where it is incomplete or says that there is
/// nothing.
inline Duration ttl_of(const CacheConfig& config, const CachePayload& payload) noexcept {
    if (const auto* availability = std::get_if<Availability>(&payload))
        return availability->available ? config.ttl : std::min(config.ttl, config.negative_ttl);
    const auto* metrics = std::get_if<OptimizerMetrics>(&payload);
    const bool partial =
        metrics != nullptr ? metrics->partial : std::get_if<ReplicaSamples>(&payload)->partial;
    return partial ? std::min(config.ttl, config.partial_ttl) : config.ttl;
}

/// An age counts from the moment of asking: what the backend said may be that old.
inline CacheEntryPtr make_entry(const CacheConfig& config, CachePayload&& payload,
                                TimePoint asked_at) {
    const TimePoint fresh_until = asked_at + ttl_of(config, payload);
    const Duration longer = std::max(config.stale_while_revalidate, config.stale_if_error);
    return std::make_shared<const CacheEntry>(std::move(payload), asked_at, fresh_until,
                                              fresh_until + longer);
}

} // namespace wva_metrics::detail
