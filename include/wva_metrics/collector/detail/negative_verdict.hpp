// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/cache/cache_entry.hpp"

namespace wva_metrics::detail {

/// Whether the entry says that a model has no metrics. Such a verdict is true for a short time only:
/// the next sample refutes it. So it is a hit until its TTL, `CacheConfig::negative_ttl`, and after
/// that it is served to nobody, also not if the backend fails. It stays in the cache because it
/// knows when the model was last seen.
///
/// Samples without a pod and metrics without a value are no verdicts but measurements. They are
/// cached like any other, and their freshness is `unavailable`.
inline bool is_negative_verdict(const CacheEntry& entry) noexcept {
    const auto* availability = entry.get<Availability>();
    return availability != nullptr && !availability->available;
}

} // namespace wva_metrics::detail
