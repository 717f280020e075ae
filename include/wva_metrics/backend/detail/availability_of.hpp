// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/availability.hpp"
#include "wva_metrics/backend/prometheus_config.hpp"
#include "wva_metrics/prometheus/answer.hpp"
#include "wva_metrics/promql/part.hpp"
#include "wva_metrics/promql/query.hpp"
#include "wva_metrics/workload.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <utility>

namespace wva_metrics::detail {

/// When a model's servers last reported, from the answer to a query for `Signal::running`.
struct LastReport {
    /// Seconds since the latest sample of a living series.
    std::optional<double> age;
    /// Seconds since the latest sample of a series that has ended.
    std::optional<double> past_age;

    void operator()(const prometheus::SeriesView& series) {
        const auto tag = promql::parse_part(series.labels[promql::SignalColumns::part]);
        if (!tag || !std::isfinite(series.value))
            return;
        std::optional<double>& known = tag->part == promql::Part::time ? age : past_age;
        const double seconds = std::max(0.0, series.timestamp - series.value);
        known = known ? std::min(*known, seconds) : seconds;
    }
};

inline std::string name_of(const ModelKey& model) {
    return "model '" + model.model_id + "' in namespace '" + model.namespace_name + "'";
}

inline std::string whole_seconds(double seconds) {
    return std::to_string(std::llround(std::min(seconds, 1e9))) + " s";
}

/// Empty if the model has never reported: then `nothing_found` needs the answer to a second
/// query.
inline std::optional<Availability> availability_of(const ModelKey& model, const LastReport& report,
                                                   const PrometheusConfig& config) {
    const double stale_after = std::chrono::duration<double>(config.stale_after).count();
    if (report.age && *report.age <= stale_after)
        return Availability{true, AvailabilityReason::metrics_found,
                            "metrics of " + name_of(model) + " are available, last sampled " +
                                whole_seconds(*report.age) + " ago"};
    const std::optional<double> age = report.age ? report.age : report.past_age;
    if (!age)
        return std::nullopt;
    return Availability{
        false, AvailabilityReason::metrics_stale,
        "metrics of " + name_of(model) + " are stale: the last sample is " + whole_seconds(*age) +
            " old. Check that its pods are running and that Prometheus still scrapes them "
            "(Status > Targets)"};
}

/// What an operator should check if there are no series at all. `elsewhere` holds the namespaces
/// with a model of this name; an empty one stands for series without the namespace label.
inline Availability nothing_found(const ModelKey& model, const std::set<std::string>& elsewhere,
                                  const PrometheusConfig& config) {
    constexpr std::size_t max_named = 5;
    std::string message = "Prometheus has no series " + config.engine.running.front() + " of " +
                          name_of(model) + ". ";
    if (elsewhere.empty()) {
        message += "Check the model id, that its pods are running and serve /metrics, that a "
                   "ServiceMonitor or PodMonitor selects them, and that Prometheus scrapes their "
                   "namespace";
    } else if (elsewhere.size() == 1 && elsewhere.contains("")) {
        message += "A model of that name reports without the label '" +
                   config.engine.labels.namespace_name +
                   "'. Check the label's name (engine.labels.namespace_name)";
    } else {
        message += "A model of that name reports in namespace ";
        std::size_t named = 0;
        for (const std::string& name : elsewhere) {
            if (name.empty() || named == max_named)
                continue;
            message += (named == 0 ? "'" : ", '") + name + "'";
            ++named;
        }
        message += ". Check the namespace";
    }
    return {false, AvailabilityReason::metrics_missing, std::move(message)};
}

} // namespace wva_metrics::detail
