// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/concepts.hpp"
#include "wva_metrics/workload.hpp"

#include <string>
#include <vector>

namespace wva_metrics::kubernetes {

/// A change of a cluster's variants.
struct VariantsChange {
    /// New and changed variants.
    std::vector<VariantAutoscaling> upserted;
    /// Variants that were deleted, or became unusable.
    std::vector<VariantKey> removed;
    /// Models that got their first variant.
    std::vector<ModelKey> new_models;
    /// Models that lost their last variant.
    std::vector<ModelKey> removed_models;
    /// Problems of objects, one sentence each, which names the object. Reported once, when they
    /// start.
    std::vector<std::string> warnings;

    /// Whether nothing changed.
    bool empty() const noexcept {
        return upserted.empty() && removed.empty() && new_models.empty() &&
               removed_models.empty() && warnings.empty();
    }
};

/// Tracks new and changed variants and models on a collector, and untracks removed ones. For use in
/// `VariantWatcherConfig::on_change`.
///
/// **Threads:** may be called from any thread, like the collector.
template <MetricsCollector Collector>
void track_change(Collector& collector, const VariantsChange& change) {
    for (const VariantKey& variant : change.removed)
        collector.untrack(variant);
    for (const ModelKey& model : change.removed_models)
        collector.untrack(model);
    for (const VariantAutoscaling& variant : change.upserted)
        collector.track(variant);
    for (const ModelKey& model : change.new_models)
        collector.track(model);
}

} // namespace wva_metrics::kubernetes
