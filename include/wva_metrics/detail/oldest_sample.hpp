// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/metrics.hpp"

#include <initializer_list>
#include <optional>

namespace wva_metrics::detail {

/// The oldest measurement among those present, nothing where none is.
inline void take_older(std::optional<TimePoint>& oldest, const Reading<double>& reading) noexcept {
    if (reading.has_value() && (!oldest || reading.sampled_at() < *oldest))
        oldest = reading.sampled_at();
}

inline std::optional<TimePoint> oldest_sample(const OptimizerMetrics& metrics) noexcept {
    std::optional<TimePoint> oldest;
    take_older(oldest, metrics.arrival_rate_per_minute);
    take_older(oldest, metrics.avg_input_tokens);
    take_older(oldest, metrics.avg_output_tokens);
    take_older(oldest, metrics.ttft_seconds);
    take_older(oldest, metrics.itl_seconds);
    return oldest;
}

inline std::optional<TimePoint> oldest_sample(const ModelReplicas& replicas) noexcept {
    std::optional<TimePoint> oldest;
    for (const ReplicaMetrics& replica : replicas.replicas) {
        take_older(oldest, replica.kv_cache_usage);
        take_older(oldest, replica.queue_length);
    }
    return oldest;
}

} // namespace wva_metrics::detail
