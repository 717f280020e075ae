// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/cache/metrics_cache.hpp"
#include "wva_metrics/workload.hpp"

#include <cstddef>
#include <string_view>

namespace wva_metrics::detail {

/// Removes the entries of a model's variants from a cache; returns their number. `prefix` is that of
/// all variants of the model's namespace, which are removed if the cache cannot tell them apart.
template <MetricsCache Cache>
std::size_t erase_variants(Cache& cache, const ModelKey& model, std::string_view prefix) {
    if constexpr (SelectiveCache<Cache>)
        return cache.erase_prefix_if(prefix, [&](const CacheEntry& entry) {
            const auto* metrics = entry.get<OptimizerMetrics>();
            return metrics != nullptr && metrics->model_id == model.model_id;
        });
    else
        return cache.erase_prefix(prefix);
}

} // namespace wva_metrics::detail
