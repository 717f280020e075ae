// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/detail/pod_states.hpp"
#include "wva_metrics/backend/detail/seen_pods.hpp"
#include "wva_metrics/pod_owner.hpp"
#include "wva_metrics/reading.hpp"
#include "wva_metrics/samples/pod_life.hpp"
#include "wva_metrics/samples/pod_report.hpp"
#include "wva_metrics/samples/signal_value.hpp"
#include "wva_metrics/workload.hpp"

#include <algorithm>
#include <concepts>
#include <iterator>
#include <optional>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics::detail {

/// The report of a pod that was seen before and cannot be read now.
inline samples::PodReport unread_report(SeenPod seen) {
    samples::PodReport report;
    report.pod = std::move(seen.pod);
    report.life = samples::PodLife::unread;
    report.last_sample = seen.last_sample;
    for (samples::SignalValue& value : report.values) {
        value.reason = ReadingReason::unread;
        value.time = seen.last_sample;
    }
    return report;
}

/// Adds the pods of a model that had samples in an earlier round, have none now, and may still be
/// alive. `reports`: those of the pods that have samples, sorted by pod; stays sorted.
///
/// `up_of(pod)`: the newest fresh `up` of the pod's targets, false if it is 0 in any of them; empty
/// if none is scraped. If it is true, the pod answers without this model. If it is empty, the pod
/// is added only if some source knows that it exists and is ready.
template <std::invocable<std::string_view> UpOf>
void add_unread_pods(std::vector<samples::PodReport>& reports, const ModelKey& model,
                     SeenPods& memory, const PodStates& states, UpOf up_of, TimePoint now) {
    const auto is_gone = [&](std::string_view pod, samples::PodLife life) {
        return states.state_of(model.namespace_name, pod, life) == PodState::gone;
    };
    std::vector<SeenPod> seen;
    std::set<std::string_view> reported;
    for (const samples::PodReport& report : reports) {
        if (report.pod.empty())
            continue;
        reported.insert(report.pod);
        if (is_gone(report.pod, report.life))
            memory.forget(model, report.pod);
        else
            seen.push_back({report.pod, report.last_sample});
    }
    memory.remember(model, seen, now);

    std::vector<samples::PodReport> unread;
    for (SeenPod& pod : memory.others(model, reported, now)) {
        const std::optional<bool> up = up_of(std::string_view(pod.pod));
        if (up.value_or(false) || is_gone(pod.pod, samples::PodLife::unread))
            memory.forget(model, pod.pod);
        else if (up || states.exists_and_ready(model.namespace_name, pod.pod))
            unread.push_back(unread_report(std::move(pod)));
    }
    if (unread.empty())
        return;
    std::ranges::move(unread, std::back_inserter(reports));
    std::ranges::sort(reports, {}, &samples::PodReport::pod);
}

} // namespace wva_metrics::detail
