// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/detail/absence_findings.hpp"
#include "wva_metrics/backend/detail/availability_of.hpp"
#include "wva_metrics/backend/detail/failure_finding.hpp"
#include "wva_metrics/backend/detail/finding_words.hpp"
#include "wva_metrics/backend/detail/model_evidence.hpp"
#include "wva_metrics/backend/detail/shared_findings.hpp"
#include "wva_metrics/backend/prometheus_config.hpp"
#include "wva_metrics/diagnosis.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/format_duration.hpp"
#include "wva_metrics/reading.hpp"
#include "wva_metrics/samples/label_evidence.hpp"
#include "wva_metrics/samples/liveness.hpp"
#include "wva_metrics/signal.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// What is wrong with the series of a model that reports.

namespace wva_metrics::detail {

/// Adds what is wrong with a model that has living series, and remarks.
class PresenceFindings {
public:
    /// The arguments must outlive it.
    PresenceFindings(const ModelEvidence& seen, const PrometheusConfig& config,
                     const samples::SampleRules& rules, std::vector<Finding>& findings)
        : seen_(seen), config_(config), rules_(rules), findings_(findings) {}

    void add_all() {
        add_warnings();
        add_pod_lives();
        add_scrape_interval();
        add(warming_up_finding(seen_.report, rules_));
        add_missing_signals();
        for (Finding& finding : unusable_value_findings(seen_.report))
            findings_.push_back(std::move(finding));
        add(variants_finding(seen_.model, seen_.variants, seen_.report));
        add_kube_state();
        add_copies();
    }

private:
    void add(FindingCode code, std::string text, bool is_problem = true) {
        findings_.push_back({code, is_problem, std::move(text)});
    }
    void add(std::optional<Finding> finding) {
        if (finding)
            findings_.push_back(*std::move(finding));
    }

    void add_warnings() {
        const std::vector<std::string>& warnings = seen_.report.warnings;
        const std::size_t others = warnings.size() - seen_.report.ambiguity_warnings;
        const FindingCode ambiguous = seen_.report.has_cluster_conflict
                                          ? FindingCode::several_clusters
                                          : FindingCode::pod_undecided;
        for (std::size_t i = 0; i < warnings.size(); ++i)
            add(i < others ? FindingCode::warning : ambiguous, warnings[i], i >= others);
        for (const std::string& reason : seen_.report.partial_because)
            add(FindingCode::warning, reason);
        for (const Error& failure : seen_.failures) {
            const Finding finding = failure_finding(failure);
            add(finding.code, "a query that would have shown more failed: " + finding.text, false);
        }
    }

    void add_pod_lives() {
        std::set<std::string> unread;
        bool has_unnamed = false;
        for (const JudgedPod& pod : seen_.report.pods) {
            const samples::PodLife life = pod.report.life;
            if (life == samples::PodLife::unread || life == samples::PodLife::part)
                unread.insert(pod.report.pod);
            has_unnamed = has_unnamed || (pod.report.pod.empty() && is_read(pod));
        }
        if (!unread.empty())
            add(FindingCode::pod_unread,
                named_pods(unread) +
                    " scraped without an answer, so totals lack what is served there: look for the "
                    "error at Status > Targets of Prometheus; if a pod is too busy, raise the "
                    "scrape's timeout");
        if (has_unnamed)
            add(FindingCode::label_missing,
                "series of the model lack the label '" + config_.engine.labels.pod +
                    "', so they belong to no pod: let the scrape add it, as a PodMonitor does, or "
                    "configure the label's name (" +
                    label_field("pod", "pod") + ")");
    }

    void add_scrape_interval() {
        std::optional<samples::ServerDuration> longest;
        for (const samples::View& view : seen_.views)
            if (!samples::is_lost(view, seen_.now, rules_))
                if (const auto spacing = samples::scrape_spacing(view))
                    longest = std::max(longest.value_or(*spacing), *spacing);
        const bool is_too_short = std::any_of(
            seen_.report.pods.begin(), seen_.report.pods.end(), [](const JudgedPod& pod) {
                return std::any_of(pod.report.values.begin(), pod.report.values.end(),
                                   [](const samples::SignalValue& value) {
                                       return value.reason == ReadingReason::window_too_short;
                                   });
            });
        if (!is_too_short && !(longest && 2 * *longest > rules_.window))
            return;
        const std::string seen =
            longest ? "every " + format_duration(Duration(*longest)) : "too rarely";
        const std::string window = format_duration(config_.windows.rate);
        if (is_too_short)
            add(FindingCode::scrape_interval_too_long,
                "pods are scraped " + seen + ", so a window of " + window +
                    " does not hold two samples: scrape more often, or raise "
                    "prometheus.windows.rate");
        else
            add(FindingCode::scrape_interval_too_long,
                "pods are scraped " + seen +
                    ", so rates are measured over more than the window "
                    "of " +
                    window + ": to follow the load sooner, scrape more often",
                false);
    }

    void add_missing_signals() {
        const std::vector<Signal> missing = signals_without_series(seen_.report);
        if (missing.empty())
            return;
        const std::size_t before = findings_.size();
        AbsenceFindings(seen_, config_, findings_).add_similar_metrics();
        if (findings_.size() > before)
            return;
        std::set<std::string> names;
        for (const Signal signal : missing)
            names.insert(config_.engine[signal].front());
        add(FindingCode::metric_not_exposed,
            "no pod of the model exposes " + quoted_list(names) +
                ": check the server's version and options, and that the scrape does not drop "
                "these metrics");
    }

    void add_kube_state() {
        const KubeStateEvidence& kube = seen_.kube_state;
        if (!kube.is_asked)
            return;
        if (!kube.is_reporting)
            add(FindingCode::kube_state_absent,
                "there are no series of kube-state-metrics, so owners are derived from the names "
                "of pods, and deleted pods count for a while: let Prometheus scrape it, or switch "
                "prometheus.use_kube_state off");
        else if (!kube.has_namespace)
            add(FindingCode::kube_state_elsewhere,
                "kube-state-metrics reports no pods of namespace '" + seen_.model.namespace_name +
                    "', but of others: check its --namespaces, the labels in "
                    "prometheus.engine.kube_state, and that it is of the same cluster");
        else if (!kube.unknown_pods.empty())
            add(FindingCode::kube_state_elsewhere,
                "kube-state-metrics reports other pods of the namespace, but not " +
                    quoted_names(kube.unknown_pods) +
                    ": check that it is of the same cluster as the model");
    }

    /// Several views of one address: what is counted once.
    void add_copies() {
        static constexpr std::array<std::string_view, 7> ha_labels = {
            "prometheus", "prometheus_replica", "replica", "__replica__",
            "receive",    "receive_replica",    "monitor"};
        std::map<std::pair<std::string_view, std::string_view>, const samples::View*> first;
        std::set<std::string> ha;
        std::set<std::string> others;
        for (const samples::View& view : seen_.views) {
            if (view.address.empty() || samples::is_lost(view, seen_.now, rules_))
                continue;
            const auto [found, is_new] = first.try_emplace({view.pod, view.address}, &view);
            if (is_new)
                continue;
            for (const std::string_view name :
                 samples::differing_labels(found->second->labels, view.labels)) {
                const bool is_ha =
                    std::find(ha_labels.begin(), ha_labels.end(), name) != ha_labels.end();
                (is_ha ? ha : others).emplace(name);
            }
        }
        if (!others.empty())
            add(FindingCode::scraped_twice,
                "pods are scraped more than once (the copies differ in the label " +
                    quoted_list(others) +
                    "); they count once: to save work, keep one ServiceMonitor or PodMonitor",
                false);
        if (!ha.empty())
            add(FindingCode::ha_copies,
                "the store holds copies by several Prometheus servers (they differ in the label " +
                    quoted_list(ha) + "); they count once",
                false);
    }

    const ModelEvidence& seen_;
    const PrometheusConfig& config_;
    const samples::SampleRules& rules_;
    std::vector<Finding>& findings_;
};

} // namespace wva_metrics::detail
