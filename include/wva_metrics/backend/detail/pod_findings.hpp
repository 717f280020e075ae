// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/detail/finding_words.hpp"
#include "wva_metrics/backend/detail/model_report.hpp"
#include "wva_metrics/backend/detail/page_failure.hpp"
#include "wva_metrics/backend/detail/pod_reports.hpp"
#include "wva_metrics/backend/detail/shared_findings.hpp"
#include "wva_metrics/backend/pod_config.hpp"
#include "wva_metrics/diagnosis.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/format_duration.hpp"
#include "wva_metrics/reading.hpp"
#include "wva_metrics/samples/pod_life.hpp"
#include "wva_metrics/samples/sample_rules.hpp"
#include "wva_metrics/signal.hpp"
#include "wva_metrics/workload.hpp"

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Why nothing is known of a model, or not all, by what its pods answered.

namespace wva_metrics::detail {

/// What a backend of pods has seen of a model.
struct PodEvidence {
    ModelKey model{};
    /// Those whose pods are expected.
    std::vector<VariantAutoscaling> variants{};
    /// Its `failure` is why no pod could be found.
    ModelReport report{};
    /// What the targets say, also those that are there no more.
    std::vector<TargetFacts> targets{};
    /// What was said of the samples; see `PodRound::judged`.
    std::vector<std::string> judged{};
};

/// Adds what is wrong with the pods of a model. Pure.
class PodFindings {
public:
    /// The arguments must outlive it.
    PodFindings(const PodEvidence& seen, const PodConfig& config, const samples::SampleRules& rules,
                std::vector<Finding>& findings)
        : seen_(seen), config_(config), rules_(rules), findings_(findings) {}

    void add_all() {
        if (seen_.report.failure)
            return add_not_found(*seen_.report.failure);
        const bool has_targets =
            std::any_of(seen_.targets.begin(), seen_.targets.end(),
                        [](const TargetFacts& target) { return !target.is_retired; });
        if (!has_targets)
            add_no_targets();
        add_failures();
        add_pages();
        add_judged();
        add(warming_up_finding(seen_.report, rules_));
        add_spacing();
        add_missing_signals();
        for (Finding& finding : unusable_value_findings(seen_.report))
            findings_.push_back(std::move(finding));
        add_variants();
    }

private:
    void add(FindingCode code, std::string text, bool is_problem = true) {
        findings_.push_back({code, is_problem, std::move(text)});
    }
    void add(std::optional<Finding> finding) {
        if (finding)
            findings_.push_back(*std::move(finding));
    }

    static std::string at(const Error& error) {
        return error.endpoint.empty() ? "" : " (" + error.endpoint + ")";
    }

    void add_not_found(const Error& error) {
        if (error.is(Errc::invalid_argument))
            return add(FindingCode::invalid_argument, error.message);
        add(page_failure_code(error, {}),
            "the pods of " + name_of(seen_.model) + " could not be found: " + error.message +
                at(error) +
                "; check pods.services, pods.kubernetes, and what PodConfig::find_targets "
                "asks");
    }

    /// No target or service is for this model: is there one for another?
    void add_no_targets() {
        std::set<std::string> namespaces;
        std::set<std::string> models;
        const auto note = [&](const auto& described) {
            const bool is_namespace = described.namespace_name.empty() ||
                                      described.namespace_name == seen_.model.namespace_name;
            const bool is_model =
                described.model.empty() || described.model == seen_.model.model_id;
            if (is_model && !is_namespace)
                namespaces.insert(described.namespace_name);
            else if (is_namespace && !is_model)
                models.insert(described.model);
        };
        std::for_each(config_.targets.begin(), config_.targets.end(), note);
        std::for_each(config_.services.begin(), config_.services.end(), note);
        if (!namespaces.empty())
            add(FindingCode::wrong_namespace,
                "there are pods in namespace " + quoted_list(namespaces) + ", but none in " +
                    in_quotes(seen_.model.namespace_name) + ": check the namespace");
        if (!models.empty())
            add(FindingCode::model_id_mismatch,
                "the pods of the namespace are said to serve other models; the nearest is " +
                    in_quotes(nearest_of(seen_.model.model_id, models)) +
                    ": check the model id, and that of pods.targets and pods.services");
        std::string text = "no pod of " + name_of(seen_.model) + " is known: ";
        if (!config_.services.empty())
            text += "check that the names of pods.services have addresses, as those of a headless "
                    "service with ready pods; ";
        if (config_.find_targets)
            text += "check the namespace and the label selector of pods.kubernetes, or by which "
                    "PodConfig::find_targets finds pods; ";
        text += "add the pods to pods.targets, or a name whose addresses are pods to pods.services";
        add(FindingCode::no_targets, std::move(text));
    }

    /// Targets that could not be read, those with the same failure together.
    void add_failures() {
        struct Group {
            std::set<std::string> pods;
            const TargetFacts* first = nullptr;
        };
        std::map<std::pair<FindingCode, std::string>, Group> groups;
        std::size_t left_out = 0;
        for (const TargetFacts& target : seen_.targets) {
            if (target.is_retired || !target.failure)
                continue;
            std::pair key(page_failure_code(*target.failure, target.remark),
                          target.failure->message);
            if (groups.size() == max_groups && !groups.contains(key)) {
                ++left_out;
                continue;
            }
            Group& group = groups[std::move(key)];
            group.pods.insert(target.pod);
            if (group.first == nullptr)
                group.first = &target;
        }
        for (const auto& [key, group] : groups) {
            const bool is_one = group.pods.size() == 1;
            add(key.first, named_pods(group.pods) + " could not be read (" +
                               (is_one ? "" : "the first is ") + group.first->url +
                               "): " + without_advice(key.second) + "; " +
                               std::string(page_failure_remedy(key.first)));
        }
        if (left_out > 0)
            add(FindingCode::pod_unread,
                count_of(left_out, "more pod") + " could not be read, each for another reason");
    }

    /// Targets that were read, and have nothing of the model.
    void add_pages() {
        std::set<std::string> unnamed;
        std::set<std::string> foreign;
        std::set<std::string> others;
        std::set<std::string> with_others;
        std::string foreign_url;
        bool has_model = false;
        for (const TargetFacts& target : seen_.targets) {
            if (target.is_retired || target.failure)
                continue;
            if (!target.remark.empty() && remarks_++ < max_groups)
                add(FindingCode::warning, "pod " + in_quotes(target.pod) + ": " + target.remark,
                    false);
            has_model = has_model || target.has_model;
            if (target.has_model)
                continue;
            if (!target.has_metrics) {
                foreign.insert(target.pod);
                foreign_url = foreign_url.empty() ? target.url : foreign_url;
            } else if (!target.is_assigned && target.other_models.contains("")) {
                unnamed.insert(target.pod);
            } else {
                with_others.insert(target.pod);
                others.insert(target.other_models.begin(), target.other_models.end());
            }
        }
        if (!unnamed.empty())
            add(FindingCode::label_missing,
                named_pods(unnamed) +
                    " with pages that do not say which model they are of: set model in "
                    "pods.targets or pods.services (ScrapeTarget::model)");
        if (!foreign.empty())
            add(FindingCode::other_engine,
                named_pods(foreign) + " with a page of metrics (" + foreign_url +
                    ") that has none of " +
                    (config_.detect_engines ? "any known kind of server"
                                            : "those of '" + config_.engine.name + "'") +
                    ": check that path and port are those of the inference server, and that it "
                    "has started; if it publishes other names, set them in pods.engine" +
                    (config_.detect_engines ? "" : ", or let pods.detect_engines find its kind"));
        // Pods of other models are usual in a list of all pods, if some are the model's.
        if (!with_others.empty() && !has_model)
            add(FindingCode::model_id_mismatch,
                named_pods(with_others) + " with metrics of other models, not of " +
                    in_quotes(seen_.model.model_id) + "; the nearest is " +
                    in_quotes(nearest_of(seen_.model.model_id, others)) +
                    ": check the model id (with vLLM it is --served-model-name)");
    }

    void add_judged() {
        const auto is_ambiguous = [](const JudgedPod& pod) {
            return pod.report.life == samples::PodLife::ambiguous;
        };
        const bool is_problem =
            std::any_of(seen_.report.pods.begin(), seen_.report.pods.end(), is_ambiguous);
        for (const std::string& text : seen_.judged)
            add(is_problem ? FindingCode::pod_undecided : FindingCode::warning, text, is_problem);
    }

    void add_spacing() {
        const auto is_too_short = [](const JudgedPod& pod) {
            return std::any_of(pod.report.values.begin(), pod.report.values.end(),
                               [](const samples::SignalValue& value) {
                                   return value.reason == ReadingReason::window_too_short;
                               });
        };
        const bool is_problem =
            std::any_of(seen_.report.pods.begin(), seen_.report.pods.end(), is_too_short);
        if (!is_problem && 2 * config_.schedule.interval <= config_.rate_window)
            return;
        add(FindingCode::scrape_interval_too_long,
            "pods are scraped every " + format_duration(config_.schedule.interval) +
                " at most, so a window of " + format_duration(config_.rate_window) +
                (is_problem ? " does not hold two samples: "
                            : " may not hold two samples, and rates are measured over more: ") +
                "lower pods.schedule.interval, or raise pods.rate_window",
            is_problem);
    }

    void add_missing_signals() {
        std::set<std::string> names;
        for (const Signal signal : signals_without_series(seen_.report))
            names.emplace(signals[index_of(signal)].name);
        if (!names.empty())
            add(FindingCode::metric_not_exposed,
                "no pod of the model exposes the metrics of " + quoted_list(names) +
                    ": check the server's version and options, and the names in pods.engine");
    }

    void add_variants() {
        std::optional<Finding> finding =
            variants_finding(seen_.model, seen_.variants, seen_.report);
        if (!finding)
            return;
        const bool has_owners =
            std::all_of(seen_.report.pods.begin(), seen_.report.pods.end(),
                        [](const JudgedPod& pod) { return pod.owner.has_value(); });
        if (!has_owners)
            finding->text += "; without an owner, the pod's name must be that of a pod of the "
                             "workload: set owner in pods.targets or pods.services, or "
                             "PodConfig::owners";
        findings_.push_back(*std::move(finding));
    }

    static constexpr std::size_t max_groups = 5;

    const PodEvidence& seen_;
    const PodConfig& config_;
    const samples::SampleRules& rules_;
    std::vector<Finding>& findings_;
    std::size_t remarks_ = 0;
};

/// From what was seen to what is wrong. Pure.
inline Diagnosis pod_findings_of(const PodEvidence& seen, const PodConfig& config,
                                 const samples::SampleRules& rules) {
    Diagnosis diagnosis;
    diagnosis.model = seen.model;
    PodFindings(seen, config, rules, diagnosis.findings).add_all();
    finish_findings(diagnosis.findings);
    return diagnosis;
}

} // namespace wva_metrics::detail
