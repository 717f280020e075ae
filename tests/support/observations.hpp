// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../../examples/autoscaler_loop/saturation.hpp"

#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics::test_support {

using namespace saturation;

inline const TimePoint now{10h};
inline constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

inline Reading<double> measured(double value, Duration ago = 1s) {
    return Reading<double>::measured(value, now - ago);
}

inline ReplicaMetrics replica(std::string pod, const Reading<double>& kv_cache,
                              const Reading<double>& queue) {
    ReplicaMetrics metrics;
    metrics.pod = std::move(pod);
    metrics.variant = "v";
    metrics.kv_cache_usage = kv_cache;
    metrics.queue_length = queue;
    return metrics;
}

/// Replicas with these KV caches and queues; all readings are present.
inline Observation loaded(const std::vector<std::pair<double, double>>& loads) {
    Observation seen{loads.size()};
    for (const auto& [kv_cache, queue] : loads)
        seen.replicas.push_back(replica("pod-" + std::to_string(seen.replicas.size()),
                                        measured(kv_cache), measured(queue)));
    return seen;
}

/// A history that allows scaling down immediately.
inline History patient() {
    return {.scale_down_possible_since = now - 1h};
}

inline Decision decided(const Observation& seen, History history = {}, const Rule& rule = {}) {
    return decide(seen, rule, history, now);
}

} // namespace wva_metrics::test_support
