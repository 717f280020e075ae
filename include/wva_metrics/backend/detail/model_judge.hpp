// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/detail/model_report.hpp"
#include "wva_metrics/backend/detail/model_views.hpp"
#include "wva_metrics/backend/detail/pod_states.hpp"
#include "wva_metrics/backend/detail/undecided_pods.hpp"
#include "wva_metrics/promql/pod_query.hpp"
#include "wva_metrics/samples/liveness.hpp"
#include "wva_metrics/samples/metric_set.hpp"
#include "wva_metrics/samples/pod_report.hpp"
#include "wva_metrics/samples/processes.hpp"
#include "wva_metrics/samples/sample_rules.hpp"
#include "wva_metrics/workload.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics::detail {

/// From the samples of a model to what they say of its pods. Pure.
///
/// **Threads:** safe.
class ModelJudge {
public:
    /// The arguments must outlive it.
    ModelJudge(const samples::MetricSet& metrics, const samples::SampleRules& rules,
               UndecidedPods& undecided)
        : metrics_(metrics), rules_(rules), undecided_(undecided) {}

    /// The report of a model, without warnings about its samples. Views that ended before the windows
    /// began are removed from `samples`.
    ModelReport judge(const ModelKey& model, ModelViews& samples, const PodStates& states) const {
        std::erase_if(samples.views,
                      [&](const samples::View& view) { return is_over(view, samples.now); });
        samples::ModelProcesses found =
            samples::find_processes(samples.views, metrics_, rules_, samples.now);
        samples.undecided = std::move(found.undecided);
        undecided_.apply(model, metrics_, found);
        ModelReport report;
        report.clock = samples.clock;
        for (samples::PodReport& pod : samples::report_pods(found, metrics_, samples.now, rules_)) {
            JudgedPod& judged = report.pods.emplace_back();
            if (!pod.pod.empty()) {
                judged.state =
                    states.state_of(model.namespace_name, pod.pod, pod.life, pod.is_late);
                judged.owner = states.owner_of(model.namespace_name, pod.pod);
                // No total lacks it, even if its target is still scraped.
                if (judged.state == PodState::gone)
                    pod.life = samples::PodLife::gone;
            }
            judged.report = std::move(pod);
        }
        report.partial_because = states.warnings(model.namespace_name);
        report.warnings = std::move(found.warnings);
        report.has_cluster_conflict = found.has_cluster_conflict;
        if (has_ambiguous(report)) {
            report.warnings.insert(report.warnings.end(), found.ambiguity_warnings.begin(),
                                   found.ambiguity_warnings.end());
            report.ambiguity_warnings = found.ambiguity_warnings.size();
        }
        return report;
    }

    /// The pods that more samples may decide, and that were not asked for recently. They count as
    /// asked for. A pod is asked for by each label that names it in one of its views, because all of
    /// its views decide.
    std::vector<promql::PodName> to_ask(const ModelKey& model, const ModelViews& samples,
                                        TimePoint now) const {
        std::vector<promql::PodName> pods;
        std::set<std::string> asked;
        for (const samples::PodSelector& pod : samples.undecided)
            if (asked.contains(pod.pod) || undecided_.ask(model, pod.pod, now)) {
                asked.insert(pod.pod);
                pods.push_back({pod.label, model.namespace_name, pod.pod});
            }
        for (const samples::View& view : samples.views)
            if (asked.contains(view.pod))
                pods.push_back({view.pod_label, model.namespace_name, view.pod});
        std::sort(pods.begin(), pods.end());
        pods.erase(std::unique(pods.begin(), pods.end()), pods.end());
        return pods;
    }

    /// Takes more samples of some pods of a model into account, and keeps what they decide.
    void learn(const ModelKey& model, ModelViews& samples, const std::set<std::string>& pods,
               std::vector<samples::View> longer) const {
        replace_pods(samples.views, pods, std::move(longer));
        const samples::ModelProcesses found =
            samples::find_processes(samples.views, metrics_, rules_, samples.now);
        std::map<std::string, std::vector<const samples::Process*>> by_pod;
        for (const samples::Process& process : found.processes)
            if (pods.contains(process.pod))
                by_pod[process.pod].push_back(&process);
        for (const auto& [pod, processes] : by_pod)
            if (std::none_of(processes.begin(), processes.end(), [](const auto* process) {
                    return process->status == samples::ProcessStatus::ambiguous;
                }))
                undecided_.learn(model, pod, processes, samples.now);
    }

private:
    static bool has_ambiguous(const ModelReport& report) {
        return std::any_of(report.pods.begin(), report.pods.end(), [](const JudgedPod& pod) {
            return pod.report.life == samples::PodLife::ambiguous;
        });
    }

    /// True if the view has ended, and not within the windows of its model's readings.
    bool is_over(const samples::View& view, samples::ServerTime now) const {
        return view.last() <= now - std::max(rules_.window, rules_.peak) &&
               samples::is_lost(view, now, rules_) && !samples::is_unread(view, now, rules_);
    }

    const samples::MetricSet& metrics_;
    const samples::SampleRules& rules_;
    UndecidedPods& undecided_;
};

} // namespace wva_metrics::detail
