// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/concepts.hpp"
#include "wva_metrics/workload.hpp"

#include <string>
#include <vector>

namespace wva_metrics::kubernetes {

/// What has become different in a cluster's variants.
struct VariantsChange {
    /// New ones, and those of which anything has changed.
    std::vector<VariantAutoscaling> upserted;
    /// Those that have ceased to exist, or can no longer be used.
    std::vector<VariantKey> removed;
    /// Models that now have a variant and had none.
    std::vector<ModelKey> new_models;
    /// Models whose last variant has gone.
    std::vector<ModelKey> removed_models;
    /// What is wrong with objects, a sentence each that names the object; said when it begins.
    std::vector<std::string> warnings;

    /// Nothing to do for anybody.
    bool empty() const noexcept {
        return upserted.empty() && removed.empty() && new_models.empty() &&
               removed_models.empty() && warnings.empty();
    }
};

/// Tracks on a collector what has come, and untracks what has gone; for use in
/// `VariantsConfig::on_change`. Thread safety: any thread, as the collector's.
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
