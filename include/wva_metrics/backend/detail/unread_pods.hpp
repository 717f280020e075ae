// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/detail/model_report.hpp"
#include "wva_metrics/backend/detail/pod_states.hpp"
#include "wva_metrics/backend/detail/seen_pods.hpp"
#include "wva_metrics/pod_owner.hpp"
#include "wva_metrics/samples/pod_life.hpp"
#include "wva_metrics/samples/view_table.hpp"
#include "wva_metrics/workload.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics::detail {

/// Whether the scrapes of targets without samples succeed, by the namespace and name of their pods.
class EmptyTargets {
public:
    /// Adds targets by their `up`.
    void add(std::span<const samples::TargetUp> targets, std::string_view namespace_label) {
        for (const samples::TargetUp& target : targets) {
            if (target.pod.empty())
                continue;
            bool& fails = fails_[{std::string(samples::find_label(target.labels, namespace_label)),
                                  target.pod}];
            fails = fails || target.samples.back().value == 0;
        }
    }

    /// A target of the pod is scraped, and cannot be read.
    bool fails(const std::string& namespace_name, const std::string& pod) const {
        const auto found = fails_.find({namespace_name, pod});
        return found != fails_.end() && found->second;
    }
    /// All targets of the pod answer, but without this model.
    bool answers(const std::string& namespace_name, const std::string& pod) const {
        const auto found = fails_.find({namespace_name, pod});
        return found != fails_.end() && !found->second;
    }

private:
    std::map<std::pair<std::string, std::string>, bool> fails_;
};

/// A pod that is there, and of which nothing could be read.
inline JudgedPod unread_pod(const SeenPod& seen) {
    JudgedPod pod;
    pod.report.pod = seen.pod;
    pod.report.life = samples::PodLife::unread;
    pod.report.last_sample = seen.last_sample;
    for (samples::SignalValue& value : pod.report.values) {
        value.reason = ReadingReason::unread;
        value.time = seen.last_sample;
    }
    return pod;
}

/// Adds to the report of a model the pods that had samples in earlier rounds and are still there, as
/// far as their targets or another source tell: a server that is too busy to answer has no samples
/// after one window, and must not vanish. Remembers the pods of this round.
inline void add_unread_pods(const ModelKey& model, ModelReport& report, const EmptyTargets& targets,
                            const PodStates& states, SeenPods& memory, TimePoint now) {
    std::set<std::string_view> present;
    std::vector<SeenPod> seen_now;
    for (const JudgedPod& pod : report.pods) {
        if (pod.report.pod.empty())
            continue;
        present.insert(pod.report.pod);
        // One that does not answer may be busy, unless a source knows that it is gone.
        if (pod.state == PodState::gone)
            memory.forget(model, pod.report.pod);
        else
            seen_now.push_back({pod.report.pod, pod.report.last_sample});
    }
    memory.remember(model, seen_now, now);
    const std::string& namespace_name = model.namespace_name;
    std::vector<JudgedPod> unread;
    for (const SeenPod& seen : memory.others(model, present, now)) {
        const PodState state = states.state_of(namespace_name, seen.pod, samples::PodLife::unread);
        if (state == PodState::gone || targets.answers(namespace_name, seen.pod)) {
            memory.forget(model, seen.pod);
        } else if (targets.fails(namespace_name, seen.pod) ||
                   states.exists_and_ready(namespace_name, seen.pod)) {
            // A source of readiness does not tell that the pod still serves this model, but a
            // target that fails does.
            if (targets.fails(namespace_name, seen.pod))
                memory.remember(model, {seen}, now);
            JudgedPod& pod = unread.emplace_back(unread_pod(seen));
            pod.state = state;
            pod.owner = states.owner_of(namespace_name, seen.pod);
        }
    }
    if (unread.empty())
        return;
    report.pods.insert(report.pods.end(), std::make_move_iterator(unread.begin()),
                       std::make_move_iterator(unread.end()));
    std::sort(report.pods.begin(), report.pods.end(),
              [](const auto& one, const auto& other) { return one.report.pod < other.report.pod; });
}

} // namespace wva_metrics::detail
