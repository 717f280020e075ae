// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/attribution/attribution.hpp"
#include "wva_metrics/attribution/known_workloads.hpp"
#include "wva_metrics/cache/attribution_cache.hpp"
#include "wva_metrics/cache/cache_entry.hpp"
#include "wva_metrics/metrics.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace wva_metrics::detail {

/// An entry's samples, attributed to a caller's variants.
struct AttributedReplicas {
    std::shared_ptr<const ModelReplicas> replicas;
    std::optional<TimePoint> oldest_sample;
    /// Computed now, not for an earlier call.
    bool computed;
};

/// The attribution that the entry keeps for these variants, or null. Valid as long as the entry, so
/// that whoever visits the entry need not count a reference to the replicas.
///
/// Whose a pod is, is decided among all known workloads of the model, not only those of this caller.
/// So a kept attribution counts only as long as no other workload has become known.
inline const Attribution* kept_attribution(const CacheEntry& entry,
                                           std::span<const VariantAutoscaling> variants,
                                           const KnownWorkloads& known) noexcept {
    return entry.attributions().find(variants, known.changes());
}

/// Returns what `kept_attribution` returns, or computes it and keeps it. `entry` must hold
/// `ReplicaSamples`.
inline AttributedReplicas attribute_cached(const CacheEntry& entry,
                                           std::span<const VariantAutoscaling> variants,
                                           KnownWorkloads& known, TimePoint now) {
    if (const Attribution* const kept = kept_attribution(entry, variants, known))
        return {kept->replicas, kept->oldest_sample, false};
    known.remember(variants, now);
    const std::uint64_t changes = known.changes();
    const ReplicaSamples& samples = *entry.get<ReplicaSamples>();
    const std::vector<VariantAutoscaling> others = known.others(samples.model, variants);
    auto replicas =
        std::make_shared<const ModelReplicas>(attribute(samples, variants, no_pod_owners, others));
    const std::optional<TimePoint> oldest = oldest_sample(*replicas);
    entry.attributions().add({{variants.begin(), variants.end()}, replicas, oldest, changes});
    return {std::move(replicas), oldest, true};
}

} // namespace wva_metrics::detail
