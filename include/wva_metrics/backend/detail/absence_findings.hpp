// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/detail/availability_of.hpp"
#include "wva_metrics/backend/detail/failure_finding.hpp"
#include "wva_metrics/backend/detail/finding_words.hpp"
#include "wva_metrics/backend/detail/model_evidence.hpp"
#include "wva_metrics/backend/prometheus_config.hpp"
#include "wva_metrics/diagnosis.hpp"
#include "wva_metrics/engine/exposed_metrics.hpp"
#include "wva_metrics/engine/known_engines.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/format_duration.hpp"
#include "wva_metrics/promql/diagnosis_queries.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Why nothing is known of a model, or of a signal of it.

namespace wva_metrics::detail {

/// The metric by which a kind of server is recognized in a namespace.
constexpr std::string_view running_name(const EngineTable& table) noexcept {
    const std::string_view source = table.running.front();
    return source.substr(0, source.find_first_of(" {"));
}

/// Adds why a model without living series has none.
class AbsenceFindings {
public:
    /// The arguments must outlive it.
    AbsenceFindings(const ModelEvidence& seen, const PrometheusConfig& config,
                    std::vector<Finding>& findings)
        : seen_(seen), config_(config), findings_(findings) {}

    void add_all() {
        add_failing_jobs();
        if (seen_.nearby)
            add_nearby(*seen_.nearby);
        add_similar_metrics();
        add_stale();
        add_failures();
        // Otherwise nobody knows whether there is something.
        if (findings_.empty() && seen_.nearby)
            add(FindingCode::not_scraped,
                "there is nothing like the series " + config_.engine.running.front() + " of " +
                    name_of(seen_.model) + switched_off_hint() +
                    ": check that its pods run and serve /metrics, that a ServiceMonitor or "
                    "PodMonitor selects them, and that Prometheus scrapes their namespace "
                    "(Status > Targets)");
    }

    /// The metrics in the namespace under other names.
    void add_similar_metrics() {
        const std::vector<std::string> configured = exposed_metrics(config_.engine);
        std::set<std::string> renamed;
        for (const std::string& name : seen_.similar_metrics) {
            if (std::binary_search(configured.begin(), configured.end(), name))
                continue;
            if (const EngineTable* engine = other_engine(name))
                add(FindingCode::other_engine,
                    "the namespace has metrics of " + std::string(engine->title) + " (" +
                        in_quotes(name) + "), and the configured ones are those of '" +
                        config_.engine.name + "': set prometheus.engine to \"" +
                        std::string(engine->name) + "\"");
            else
                renamed.insert(name);
        }
        if (!renamed.empty())
            add(FindingCode::metrics_renamed, renamed_text(renamed));
    }

private:
    void add(FindingCode code, std::string text) {
        findings_.push_back({code, true, std::move(text)});
    }

    /// Pods that are scraped well, and have no metrics of inference.
    std::string switched_off_hint() const {
        if (seen_.answering_jobs.empty())
            return {};
        return ", although targets of the namespace are read (jobs " +
               quoted_list(seen_.answering_jobs) +
               "): if its pods are among them, their metrics are switched off (vLLM: without "
               "--disable-log-stats; SGLang: --enable-metrics; llama.cpp: --metrics); else";
    }

    void add_failing_jobs() {
        if (!seen_.failing_jobs.empty())
            add(FindingCode::scrape_failed,
                "Prometheus cannot read targets of the namespace (`up` is 0), of the jobs " +
                    quoted_list(seen_.failing_jobs) +
                    ": Status > Targets shows why, such as a wrong port or path, a login page, or "
                    "a "
                    "page without a content type, which Prometheus 3 takes only with "
                    "fallback_scrape_protocol");
    }

    void add_nearby(const NearbyModels& nearby) {
        const EngineLabels& labels = config_.engine.labels;
        if (const std::set<std::string>& found = nearby.unhonored_labels(); !found.empty()) {
            // Another name was chosen by whoever configured the scrape.
            const bool is_renamed = std::ranges::any_of(found, is_renamed_by_scrape);
            add(FindingCode::labels_not_honored,
                std::string(is_renamed ? "the scrape does not honour labels: " : "") +
                    "the model's namespace is in the label " + quoted_list(found) + ", not in '" +
                    labels.namespace_name +
                    "': " + (is_renamed ? "set honorLabels: true in the scrape, or " : "") +
                    "configure that label (" + label_field("namespace", "namespace_name") +
                    "), and that of the pod likewise");
        }
        if (nearby.is_there && !config_.matchers.empty())
            add(FindingCode::matchers_exclude,
                "the model reports in this namespace, but the matchers exclude its series: check "
                "prometheus.matchers");
        if (!nearby.model_labels.empty())
            add(FindingCode::label_missing, "the model's id is in the label " +
                                                quoted_list(nearby.model_labels) + ", not in '" +
                                                labels.model + "': configure that label (" +
                                                label_field("model", "model") + ")");
        else if (nearby.ids.contains(""))
            add(FindingCode::label_missing,
                "series of the namespace lack the label '" + labels.model +
                    "': check the relabelling of the scrape, or the label's name (" +
                    label_field("model", "model") + ")");
        if (nearby.namespaces.contains("") && nearby.namespace_labels.empty())
            add(FindingCode::label_missing,
                "a model of that id reports without the label '" + labels.namespace_name +
                    "': let the scrape add it, or check the label's name (" +
                    label_field("namespace", "namespace_name") + ")");
        if (const std::string found = quoted_list(nearby.namespaces); !found.empty())
            add(FindingCode::wrong_namespace,
                "there is no model " + in_quotes(seen_.model.model_id) + " in namespace " +
                    in_quotes(seen_.model.namespace_name) + ", but in " + found +
                    ": check the namespace");
        if (nearby.is_there || !nearby.namespace_labels.empty() || !nearby.model_labels.empty())
            return;
        const std::string id = nearest_of(seen_.model.model_id, nearby.ids);
        if (id.empty())
            return;
        add(FindingCode::model_id_mismatch,
            "the namespace has no model " + in_quotes(seen_.model.model_id) + ", but " +
                (nearby.has_more ? "more than " + std::to_string(promql::max_nearby_models) +
                                       " others, which are too many to find the nearest"
                                 : count_of(nearby.ids.size() - nearby.ids.count(""), "other") +
                                       "; the nearest is " + in_quotes(id)) +
                ": check the model id (with vLLM it is --served-model-name)");
    }

    /// What is not known may be what is wrong.
    void add_failures() {
        for (const Error& failure : seen_.failures) {
            Finding finding = failure_finding(failure);
            finding.text = "a query that would have shown more failed: " + finding.text;
            findings_.push_back(std::move(finding));
        }
    }

    void add_stale() {
        if (!seen_.last_report || !seen_.last_report->newest)
            return;
        const auto age = std::chrono::round<std::chrono::seconds>(
            std::max(seen_.now - *seen_.last_report->newest, samples::ServerDuration::zero()));
        add(FindingCode::metrics_stale,
            "the last sample of " + name_of(seen_.model) + " is " + format_duration(age) +
                " old: check that its pods run and that Prometheus still scrapes them (Status > "
                "Targets)");
    }

    /// The kind of server that has this metric, unless it is the configured one. Not one that has
    /// the names of vLLM under another prefix: which one to write is said for all such prefixes.
    const EngineTable* other_engine(std::string_view name) const {
        for (const KnownEngineTable& known : known_engines)
            if (known.engine != KnownEngine::ray && known.engine != KnownEngine::kserve &&
                name == running_name(*known.table))
                return known.table;
        return nullptr;
    }

    /// With the prefix to use, if a name ends like a configured one.
    std::string renamed_text(const std::set<std::string>& names) const {
        std::string text =
            "the namespace has " + quoted_list(names) + ", which are not the configured names: ";
        for (const Signal signal : all_signals)
            for (const std::string& configured : metric_names(config_.engine, signal)) {
                const std::string_view ending = promql::without_prefix(configured);
                const std::string_view prefix =
                    std::string_view(configured).substr(0, configured.size() - ending.size());
                if (prefix.empty())
                    continue;
                for (const std::string& name : names)
                    if (const std::size_t at = name.rfind(ending);
                        at != std::string::npos && name.substr(0, at) != prefix)
                        return text + "in all names of prometheus.engine, write '" +
                               name.substr(0, at) + "' for '" + std::string(prefix) + "'";
            }
        return text + "set them in prometheus.engine";
    }

    const ModelEvidence& seen_;
    const PrometheusConfig& config_;
    std::vector<Finding>& findings_;
};

} // namespace wva_metrics::detail
