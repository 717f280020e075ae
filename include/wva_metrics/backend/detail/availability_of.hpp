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

/// When a model's servers last reported, as a query for `Signal::running` tells.
struct LastReport {
    /// Seconds since the youngest sample of a series that is still alive.
    std::optional<double> age;
    /// Seconds since the youngest sample of a series that has ended.
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

/// The verdict, unless nothing was ever reported: then it takes another question to say something
/// helpful.
inline std::optional<Availability> judge(const ModelKey& model, const LastReport& report,
                                         const PrometheusConfig& config) {
    const double stale_after = std::chrono::duration<double>(config.stale_after).count();
    if (report.age && *report.age <= stale_after)
        return Availability{true, AvailabilityReason::metrics_found,
                            "metrics of " + name_of(model) + " are there, last sampled " +
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

/// What a person should look at where there is nothing at all. `elsewhere` are the namespaces with
/// a model of this name; the empty one stands for series without that label.
inline Availability nothing_found(const ModelKey& model, const std::set<std::string>& elsewhere,
                                  const PrometheusConfig& config) {
    constexpr std::size_t enough_for_a_hint = 5;
    std::string message = "Prometheus has no series " + config.engine.running.front() + " of " +
                          name_of(model) + ". ";
    if (elsewhere.empty()) {
        message += "Check the model id, that its pods are running and serve /metrics, that a "
                   "ServiceMonitor or "
                   "PodMonitor selects them, and that Prometheus scrapes their namespace";
    } else if (elsewhere.size() == 1 && elsewhere.contains("")) {
        message += "A model of that name reports without the label '" +
                   config.engine.labels.namespace_name +
                   "'; is that the label's name (engine.labels.namespace_name)?";
    } else {
        message += "A model of that name reports in namespace ";
        std::size_t named = 0;
        for (const std::string& name : elsewhere) {
            if (name.empty() || named == enough_for_a_hint)
                continue;
            message += (named == 0 ? "'" : ", '") + name + "'";
            ++named;
        }
        message += "; is the namespace right?";
    }
    return {false, AvailabilityReason::metrics_missing, std::move(message)};
}

} // namespace wva_metrics::detail
