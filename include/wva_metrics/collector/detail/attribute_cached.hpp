// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/attribution/attribution.hpp"
#include "wva_metrics/cache/attribution_cache.hpp"
#include "wva_metrics/cache/cache_entry.hpp"
#include "wva_metrics/metrics.hpp"

#include <memory>
#include <optional>
#include <span>
#include <utility>

namespace wva_metrics::detail {

/// An entry's samples, attributed to a caller's variants.
struct AttributedReplicas {
    std::shared_ptr<const ModelReplicas> replicas;
    std::optional<TimePoint> oldest_sample;
    /// Computed now, not for an earlier call.
    bool computed;
};

/// Returns the attribution that the entry keeps for these variants, or computes it and keeps it.
/// `entry` must hold `ReplicaSamples`.
inline AttributedReplicas attribute_cached(const CacheEntry& entry,
                                           std::span<const VariantAutoscaling> variants) {
    if (const Attribution* const known = entry.attributions().find(variants))
        return {known->replicas, known->oldest_sample, false};
    const ReplicaSamples& samples = *entry.get<ReplicaSamples>();
    auto replicas = std::make_shared<const ModelReplicas>(attribute(samples, variants));
    const std::optional<TimePoint> oldest = oldest_sample(*replicas);
    entry.attributions().add({{variants.begin(), variants.end()}, replicas, oldest});
    return {std::move(replicas), oldest, true};
}

} // namespace wva_metrics::detail
