// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/availability.hpp"
#include "wva_metrics/backend/detail/finding_words.hpp"
#include "wva_metrics/backend/detail/server_clock.hpp"
#include "wva_metrics/backend/prometheus_config.hpp"
#include "wva_metrics/detail/clean_text.hpp"
#include "wva_metrics/format_duration.hpp"
#include "wva_metrics/prometheus/answer.hpp"
#include "wva_metrics/samples/sample.hpp"
#include "wva_metrics/samples/view.hpp"
#include "wva_metrics/workload.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace wva_metrics::detail {

/// When a model's servers last reported, on the clock of the server; empty if they never did.
struct LastReport {
    std::optional<samples::ServerTime> newest{};

    /// A series of the answer to `RawQueries::presence` or `presence_by_any`.
    void add(const prometheus::SeriesView& series) {
        // The last sample may be a staleness marker, which has the time at which the series ended.
        for (const samples::Sample& sample : series.samples)
            if (std::isfinite(sample.value))
                newest = newest ? std::max(*newest, sample.time) : sample.time;
    }
    /// The element of the answer to `RawQueries::last_report`, whose value is a time.
    void add_time(const prometheus::SeriesView& series) {
        if (series.samples.empty() || !std::isfinite(series.samples.back().value))
            return;
        // Beyond this a value cannot be converted.
        constexpr double latest = 1e11;
        const std::chrono::duration<double> seconds(
            std::clamp(series.samples.back().value, 0.0, latest));
        const samples::ServerTime time(
            std::chrono::duration_cast<samples::ServerDuration>(seconds));
        newest = newest ? std::max(*newest, time) : time;
    }
};

inline std::string whole_seconds(double seconds) {
    return std::to_string(std::llround(std::min(seconds, 1e9))) + " s";
}

/// Empty if the model has never reported: then `nothing_found` needs the answer to another query.
inline std::optional<Availability> availability_of(const ModelKey& model, const LastReport& report,
                                                   const ServerClock& clock,
                                                   const PrometheusConfig& config) {
    if (!report.newest)
        return std::nullopt;
    Availability verdict;
    verdict.last_sample_at = clock.local(*report.newest);
    const Duration age = clock.requested - *verdict.last_sample_at;
    if (age <= config.stale_after) {
        verdict.available = true;
        verdict.reason = AvailabilityReason::metrics_found;
        verdict.message = "metrics of " + name_of(model) + " are available, last sampled " +
                          whole_seconds(std::chrono::duration<double>(age).count()) + " ago";
        return verdict;
    }
    verdict.reason = AvailabilityReason::metrics_stale;
    // Rounded up, so that what is shown exceeds the bound, too.
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(age).count();
    verdict.message = "metrics of " + name_of(model) + " are stale: the last sample is " +
                      std::to_string(seconds) +
                      " s old, more than stale_after = " + format_duration(config.stale_after) +
                      ". Check that its pods are running and that Prometheus still scrapes "
                      "them (Status > Targets)";
    return verdict;
}

/// Where a model of the same name reports, although no series of the requested model was found.
struct Elsewhere {
    /// Other namespaces. An empty one stands for series without the namespace label.
    std::set<std::string> namespaces;
    /// Labels that hold the requested namespace, although another label is configured for it.
    std::set<std::string> labels;
    /// The configured label is there too, and holds another namespace.
    bool is_label_taken = false;
    /// Some series are in the requested namespace: the matchers, if there are any, exclude them.
    bool is_excluded = false;

    /// Adds a series of the model, from any namespace.
    void add(const prometheus::SeriesView& series, const ModelKey& model,
             const EngineLabels& names) {
        const std::string_view namespace_name = series.label(names.namespace_name);
        is_excluded = is_excluded || namespace_name == model.namespace_name;
        bool is_under_other_label = false;
        for (const samples::LabelView& label : series.labels) {
            if (label.name == names.namespace_name || label.value != model.namespace_name ||
                label.name.find("namespace") == std::string_view::npos)
                continue;
            labels.emplace(label.name);
            is_label_taken = is_label_taken || !namespace_name.empty();
            is_under_other_label = true;
        }
        if (is_under_other_label)
            return;
        // A scrape that does not honour labels keeps the model's namespace under this name, and the
        // scraper's namespace is none of the model's.
        const std::string_view own = series.label("exported_" + names.namespace_name);
        namespaces.emplace(own.empty() ? namespace_name : own);
    }
};

/// The configuration field of a label, in a document and in C++.
inline std::string label_field(const char* in_document, const char* in_code) {
    return "prometheus.engine.labels." + std::string(in_document) +
           " in a document, EngineLabels::" + in_code + " in C++";
}

/// True for a label as a scrape renames it that does not honour those of the page.
inline bool is_renamed_by_scrape(std::string_view label) noexcept {
    return label.starts_with("exported_");
}

/// What an operator should check if there are no series at all.
inline Availability nothing_found(const ModelKey& model, const Elsewhere& elsewhere,
                                  const PrometheusConfig& config) {
    const std::string& configured = config.engine.labels.namespace_name;
    std::string message = "Prometheus has no series " + config.engine.running.front() + " of " +
                          name_of(model) + ". ";
    if (!elsewhere.labels.empty())
        message +=
            "A model of that name reports this namespace in the label " +
            quoted_list(elsewhere.labels) +
            (elsewhere.is_label_taken || std::ranges::any_of(elsewhere.labels, is_renamed_by_scrape)
                 ? ", and '" + configured + "' is the scraper's (honor_labels is off)"
                 : ", not in '" + configured + "'") +
            ". Configure that label (" + label_field("namespace", "namespace_name") +
            "), and the label of the pod likewise (" + label_field("pod", "pod") + ")";
    else if (elsewhere.is_excluded && !config.matchers.empty())
        message += "It reports in this namespace, but the matchers exclude its series. Check "
                   "prometheus.matchers";
    else if (elsewhere.is_excluded)
        message += "It reports in this namespace, but had no sample in the window of this query. "
                   "Check how often it is scraped";
    else if (elsewhere.namespaces.empty())
        message += "Check the model id, that its pods are running and serve /metrics, that a "
                   "ServiceMonitor or PodMonitor selects them, and that Prometheus scrapes their "
                   "namespace";
    else if (elsewhere.namespaces.size() == 1 && elsewhere.namespaces.contains(""))
        message += "A model of that name reports without the label '" + configured +
                   "'. Check the label's name (" + label_field("namespace", "namespace_name") + ")";
    else
        message += "A model of that name reports in namespace " +
                   quoted_list(elsewhere.namespaces) + ". Check the namespace";
    Availability verdict;
    verdict.reason = AvailabilityReason::metrics_missing;
    verdict.message = std::move(message);
    return verdict;
}

} // namespace wva_metrics::detail
