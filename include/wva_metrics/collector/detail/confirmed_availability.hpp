// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/cache/cache_entry.hpp"
#include "wva_metrics/detail/saturating_add.hpp"

namespace wva_metrics::detail {

/// Whether a cached availability still agrees with the model's replicas: false if they have come or
/// gone since. If they were not fetched since, it counts only for `partial_ttl`, because nothing
/// fetches an availability in the background. `latest` is the cached entry of the replicas, or null.
inline bool agrees_with_replicas(const CacheEntry& availability, const CacheEntry* latest,
                                 Duration partial_ttl, TimePoint now) noexcept {
    const TimePoint checked_at = availability.collected_at();
    if (latest == nullptr || latest->collected_at() <= checked_at)
        return availability.is_fresh(now) && now <= saturating_add(checked_at, partial_ttl);
    const bool has_pods = !latest->get<ReplicaSamples>()->pods.empty();
    return has_pods == availability.get<Availability>()->available;
}

} // namespace wva_metrics::detail
