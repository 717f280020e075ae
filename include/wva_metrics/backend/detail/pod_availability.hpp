// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/availability.hpp"
#include "wva_metrics/backend/detail/model_report.hpp"
#include "wva_metrics/detail/clean_text.hpp"
#include "wva_metrics/format_duration.hpp"
#include "wva_metrics/pod_owner.hpp"
#include "wva_metrics/reading.hpp"
#include "wva_metrics/samples/pod_life.hpp"
#include "wva_metrics/samples/sample.hpp"
#include "wva_metrics/workload.hpp"

#include <algorithm>
#include <chrono>
#include <string>

namespace wva_metrics::detail {

/// Whether a model has metrics, by the report of its pods. Pure.
inline Availability availability_of_pods(const ModelKey& model, const ModelReport& report,
                                         TimePoint now, Duration stale_after) {
    constexpr std::size_t max_bytes = 100;
    const std::string name = "model '" + clean_text(model.model_id, max_bytes) +
                             "' in namespace '" + clean_text(model.namespace_name, max_bytes) + "'";
    samples::ServerTime newest{};
    bool has_unread = false;
    for (const JudgedPod& pod : report.pods) {
        newest = std::max(newest, pod.report.last_sample);
        has_unread = has_unread || pod.report.life == samples::PodLife::unread;
    }
    Availability verdict;
    if (newest != samples::ServerTime()) {
        verdict.last_sample_at = report.clock.local(newest);
        const Duration age = now - *verdict.last_sample_at;
        verdict.available = age <= stale_after;
        verdict.reason = verdict.available ? AvailabilityReason::metrics_found
                                           : AvailabilityReason::metrics_stale;
        const auto seconds = std::chrono::ceil<std::chrono::seconds>(age);
        verdict.message = verdict.available
                              ? "metrics of " + name + " are available, last sampled " +
                                    format_duration(seconds) + " ago"
                              : "metrics of " + name + " are stale: the last sample is " +
                                    format_duration(seconds) +
                                    " old, more than stale_after = " + format_duration(stale_after);
    } else {
        verdict.reason =
            has_unread ? AvailabilityReason::backend_error : AvailabilityReason::metrics_missing;
        verdict.message =
            has_unread ? "no pod of " + name + " could be read" : "no pod has metrics of " + name;
    }
    if (!verdict.available) {
        for (const std::string& reason : report.partial_because)
            verdict.message += "; " + reason;
        for (const std::string& warning : report.warnings)
            verdict.message += "; " + warning;
    }
    return verdict;
}

} // namespace wva_metrics::detail
