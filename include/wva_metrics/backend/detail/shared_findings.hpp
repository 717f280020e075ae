// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/attribution/deployment_index.hpp"
#include "wva_metrics/backend/detail/finding_words.hpp"
#include "wva_metrics/backend/detail/model_report.hpp"
#include "wva_metrics/detail/clean_text.hpp"
#include "wva_metrics/diagnosis.hpp"
#include "wva_metrics/format_duration.hpp"
#include "wva_metrics/reading.hpp"
#include "wva_metrics/samples/pod_life.hpp"
#include "wva_metrics/samples/sample_rules.hpp"
#include "wva_metrics/signal.hpp"
#include "wva_metrics/workload.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

// What is found in the report of a model, whichever backend made it.

namespace wva_metrics::detail {

/// True if this pod's values are known.
inline bool is_read(const JudgedPod& pod) noexcept {
    return pod.report.life == samples::PodLife::alive || pod.report.life == samples::PodLife::part;
}

/// The signals that no pod has a series of, although some pod answers.
inline std::vector<Signal> signals_without_series(const ModelReport& report) {
    std::vector<Signal> missing;
    for (const Signal signal : all_signals) {
        bool is_any_read = false;
        bool is_missing = true;
        for (const JudgedPod& pod : report.pods) {
            if (!is_read(pod))
                continue;
            is_any_read = true;
            is_missing = is_missing && pod.report[signal].reason == ReadingReason::no_series;
        }
        if (is_any_read && is_missing)
            missing.push_back(signal);
    }
    return missing;
}

/// Pods that have been scraped once.
inline std::optional<Finding> warming_up_finding(const ModelReport& report,
                                                 const samples::SampleRules& rules) {
    std::set<std::string> pods;
    bool has_rate = false;
    for (const JudgedPod& pod : report.pods) {
        const ReadingReason reason = pod.report[Signal::arrival_rate].reason;
        has_rate = has_rate || reason == ReadingReason::none;
        if (is_read(pod) && reason == ReadingReason::warming_up)
            pods.insert(pod.report.pod);
    }
    if (pods.empty())
        return std::nullopt;
    return Finding{FindingCode::warming_up, !has_rate,
                   named_pods(pods) + " so far with one sample in the last " +
                       format_duration(Duration(rules.longest_window)) +
                       ", and a rate needs two: wait for the next scrape; if that does not help, "
                       "scrape more often"};
}

/// Pods with values that cannot be used, although they answer: one finding per reason.
inline std::vector<Finding> unusable_value_findings(const ModelReport& report) {
    struct Reason {
        ReadingReason reason;
        const char* text;
    };
    constexpr std::array<Reason, 3> reasons = {{
        {ReadingReason::not_finite, "they are not numbers, or infinite: look at the pod's page"},
        {ReadingReason::implausible,
         "they are negative, or fractions above 1: look at the pod's page; for per cent, add a "
         "factor to the name of the metric in the engine's profile"},
        {ReadingReason::inconsistent,
         "counters fall again and again, or a sum falls without its count, as if several servers "
         "answered at one address: scrape each of them by itself, not through a service or a "
         "proxy"},
    }};
    std::vector<Finding> findings;
    for (const auto& [reason, text] : reasons) {
        std::set<std::string> pods;
        std::set<std::string> names;
        for (const JudgedPod& pod : report.pods)
            for (const Signal signal : all_signals)
                if (is_read(pod) && pod.report[signal].reason == reason) {
                    pods.insert(pod.report.pod);
                    names.emplace(to_string(signal));
                }
        if (!pods.empty())
            findings.push_back({FindingCode::value_unusable, true,
                                named_pods(pods) + " with values that cannot be used (" +
                                    quoted_list(names) + "): " + text});
    }
    return findings;
}

/// Pods that no variant's workload owns, although variants are expected.
inline std::optional<Finding> variants_finding(const ModelKey& model,
                                               const std::vector<VariantAutoscaling>& variants,
                                               const ModelReport& report) {
    if (variants.empty())
        return std::nullopt;
    const DeploymentIndex index(model, variants);
    std::set<std::string> workloads;
    for (const VariantAutoscaling& variant : variants)
        if (variant.model() == model)
            workloads.insert(variant.deployment);
    std::set<std::string> pods;
    std::set<std::string> owners;
    std::string nearest;
    for (const JudgedPod& pod : report.pods) {
        const std::string& name = pod.report.pod;
        if (name.empty() || !is_read(pod) || pod.state == PodState::gone ||
            index.owner_of(name, pod.owner) != nullptr)
            continue;
        pods.insert(name);
        if (pod.owner)
            owners.insert(pod.owner->kind + " " + pod.owner->name);
        if (nearest.empty())
            nearest = nearest_of(pod.owner ? pod.owner->name : name, workloads);
    }
    if (pods.empty())
        return std::nullopt;
    std::string text = named_pods(pods);
    if (!owners.empty())
        text += " of " + quoted_list(owners);
    text += ": no workload of the variants owns them; ";
    text += nearest.empty() ? "no variant has this model and namespace"
                            : "the nearest is '" + nearest +
                                  "': check the names and kinds of the variants' workloads";
    return Finding{FindingCode::pods_match_no_variant, true, std::move(text)};
}

/// Makes the texts presentable, which may quote several labels of any length and characters, and
/// sorts: problems before remarks, by their codes.
inline void finish_findings(std::vector<Finding>& findings) {
    constexpr std::size_t max_bytes = 2000;
    for (Finding& finding : findings)
        finding.text = clean_text(finding.text, max_bytes);
    std::stable_sort(findings.begin(), findings.end(), [](const Finding& a, const Finding& b) {
        return std::tuple(!a.is_problem, a.code) < std::tuple(!b.is_problem, b.code);
    });
}

} // namespace wva_metrics::detail
