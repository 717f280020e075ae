// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/availability.hpp"
#include "wva_metrics/metrics.hpp"

#include <algorithm>
#include <string>

namespace wva_metrics::detail {

/// Keeps the previous reading if the backend failed to return a new one and the last sample of the
/// previous one was scraped at `oldest` or later. Its age shows that it is old. True if it was kept.
inline bool carry_over(const Reading<double>& before, Reading<double>& now,
                       TimePoint oldest) noexcept {
    if (now.reason() != ReadingReason::backend_error || !before.has_value() ||
        before.latest_at() < oldest)
        return false;
    now = before;
    return true;
}

inline void carry_over(const OptionalReadings& before, OptionalReadings& now, TimePoint oldest) {
    for (const OptionalReadings::Entry& entry : before.entries())
        if (const Reading<double>* const missing = now.get(entry.which)) {
            Reading<double> reading = *missing;
            if (carry_over(entry.reading, reading, oldest))
                now.set(entry.which, reading);
        }
}

inline void carry_over(const OptimizerMetrics& before, OptimizerMetrics& now, TimePoint oldest) {
    // A total goes with what it is the total of.
    if (carry_over(before.arrival_rate_per_minute, now.arrival_rate_per_minute, oldest))
        now.coverage = before.coverage;
    for (const auto& field : optimizer_readings)
        carry_over(before.*field.member, now.*field.member, oldest);
    carry_over(before.optional, now.optional, oldest);
}

/// A model without samples was last seen when it had some.
inline void carry_over(const Availability& before, Availability& now,
                       TimePoint /*oldest*/) noexcept {
    if (!now.last_sample_at)
        now.last_sample_at = before.last_sample_at;
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
        for (const auto& field : replica_readings<ReplicaSample>)
            carry_over((*old).*field.member, sample.*field.member, oldest);
        carry_over(old->optional, sample.optional, oldest);
    }
}

} // namespace wva_metrics::detail
