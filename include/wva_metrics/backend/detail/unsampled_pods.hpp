// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/detail/chunk_samples.hpp"
#include "wva_metrics/backend/detail/model_report.hpp"
#include "wva_metrics/backend/detail/pod_states.hpp"
#include "wva_metrics/backend/detail/seen_pods.hpp"
#include "wva_metrics/samples/sample_rules.hpp"
#include "wva_metrics/samples/view.hpp"
#include "wva_metrics/workload.hpp"

#include <algorithm>
#include <cstddef>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics::detail {

/// The pod that a series names; empty if none of its labels does.
inline std::string_view pod_of(const LivingSeries& series, const samples::SampleRules& rules) {
    for (const std::string& name : rules.pod)
        for (const auto& [label, value] : series.labels)
            if (label == name && !value.empty())
                return value;
    return {};
}

/// The pods, by model of the plan, that have a living series but no samples: they are scraped so
/// rarely that no scrape is within the window. A server's query for what lives looks back further.
inline std::map<std::size_t, std::set<std::string>>
find_unsampled_pods(std::span<const LivingSeries> living,
                    const std::map<std::size_t, std::vector<samples::View>>& views,
                    const samples::SampleRules& rules) {
    std::set<std::pair<std::size_t, std::string_view>> sampled;
    for (const auto& [model, of_model] : views)
        for (const samples::View& view : of_model)
            sampled.emplace(model, view.pod);
    std::map<std::size_t, std::set<std::string>> found;
    for (const LivingSeries& series : living)
        if (const std::string_view pod = pod_of(series, rules);
            !pod.empty() && !sampled.contains({series.model, pod}))
            found[series.model].emplace(pod);
    return found;
}

/// Removes the pods that had samples in an earlier round: they are not scraped rarely, but no more,
/// and nothing has marked the end of their series.
inline void remove_seen_pods(const ModelKey& model, std::set<std::string>& unsampled,
                             const SeenPods& memory, TimePoint now) {
    for (const SeenPod& seen : memory.others(model, {}, now))
        unsampled.erase(seen.pod);
}

/// Adds the pods without samples to the report of their model, which does not have them: they live,
/// and nothing was measured of them.
inline void add_unsampled_pods(const ModelKey& model, const std::set<std::string>& unsampled,
                               const PodStates& states, ModelReport& report) {
    for (const std::string& name : unsampled) {
        JudgedPod pod;
        pod.report.pod = name;
        pod.report.life = samples::PodLife::alive;
        for (samples::SignalValue& value : pod.report.values)
            value.reason = ReadingReason::window_too_short;
        pod.state = states.state_of(model.namespace_name, name, pod.report.life);
        pod.owner = states.owner_of(model.namespace_name, name);
        const auto place = std::lower_bound(report.pods.begin(), report.pods.end(), name,
                                            [](const JudgedPod& known, const std::string& text) {
                                                return known.report.pod < text;
                                            });
        if (place == report.pods.end() || place->report.pod != name)
            report.pods.insert(place, std::move(pod));
    }
}

} // namespace wva_metrics::detail
