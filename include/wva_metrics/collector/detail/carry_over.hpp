// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/metrics.hpp"

#include <algorithm>
#include <string>

namespace wva_metrics::detail {

/// Keeps the previous reading if the backend failed to return a new one, unless it was sampled
/// before `oldest`. Its age still shows that it is old.
template <typename T>
void carry_over(const Reading<T>& before, Reading<T>& now, TimePoint oldest) noexcept {
    if (now.reason() == ReadingReason::backend_error && before.has_value() &&
        before.sampled_at() >= oldest)
        now = before;
}

inline void carry_over(const OptimizerMetrics& before, OptimizerMetrics& now,
                       TimePoint oldest) noexcept {
    carry_over(before.arrival_rate_per_minute, now.arrival_rate_per_minute, oldest);
    carry_over(before.avg_input_tokens, now.avg_input_tokens, oldest);
    carry_over(before.avg_output_tokens, now.avg_output_tokens, oldest);
    carry_over(before.ttft_seconds, now.ttft_seconds, oldest);
    carry_over(before.itl_seconds, now.itl_seconds, oldest);
}

/// Both must be sorted by pod.
inline void carry_over(const ReplicaSamples& before, ReplicaSamples& now, TimePoint oldest) {
    for (ReplicaSample& sample : now.pods) {
        const auto old =
            std::lower_bound(before.pods.begin(), before.pods.end(), sample.pod,
                             [](const ReplicaSample& candidate, const std::string& pod) {
                                 return candidate.pod < pod;
                             });
        if (old == before.pods.end() || old->pod != sample.pod)
            continue;
        carry_over(old->kv_cache_usage, sample.kv_cache_usage, oldest);
        carry_over(old->queue_length, sample.queue_length, oldest);
    }
}

} // namespace wva_metrics::detail
