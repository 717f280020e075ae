// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/metrics.hpp"

#include <algorithm>
#include <string>

namespace wva_metrics::detail {

/// Keeps the older reading where the backend failed to give a newer one; its age shows that it is
/// old.
template <typename T>
void carry_over(const Reading<T>& before, Reading<T>& now) noexcept {
    if (now.reason() == ReadingReason::backend_error && before.has_value())
        now = before;
}

inline void carry_over(const OptimizerMetrics& before, OptimizerMetrics& now) noexcept {
    carry_over(before.arrival_rate_per_minute, now.arrival_rate_per_minute);
    carry_over(before.avg_input_tokens, now.avg_input_tokens);
    carry_over(before.avg_output_tokens, now.avg_output_tokens);
    carry_over(before.ttft_seconds, now.ttft_seconds);
    carry_over(before.itl_seconds, now.itl_seconds);
}

/// Both are sorted by pod.
inline void carry_over(const ReplicaSamples& before, ReplicaSamples& now) {
    for (ReplicaSample& sample : now.pods) {
        const auto old =
            std::lower_bound(before.pods.begin(), before.pods.end(), sample.pod,
                             [](const ReplicaSample& candidate, const std::string& pod) {
                                 return candidate.pod < pod;
                             });
        if (old == before.pods.end() || old->pod != sample.pod)
            continue;
        carry_over(old->kv_cache_usage, sample.kv_cache_usage);
        carry_over(old->queue_length, sample.queue_length);
    }
}

} // namespace wva_metrics::detail
