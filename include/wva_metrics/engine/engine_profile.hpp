// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/metric_names.hpp"
#include "wva_metrics/engine/signal.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace wva_metrics {

/// The label that tells the parts of one query apart in its answer; no series may carry it already.
inline constexpr std::string_view part_label = "wva_part";

/// Which labels of the servers' series say whose they are. What the scrape adds (namespace, pod)
/// depends on its relabelling, so it can be named otherwise here.
struct EngineLabels {
    /// The pod's namespace.
    std::string namespace_name = "namespace";
    /// The model's id.
    std::string model = "model_name";
    /// The pod's name.
    std::string pod = "pod";
    /// Tell the engines inside one pod apart (data parallel ones, say); may be empty.
    std::vector<std::string> engine = {"engine"};
};

/// How kube-state-metrics' series are named, by which pods that are gone and owners of pods are
/// known.
///
/// A scrape without `honorLabels` puts `exported_` in front of `namespace` and `pod`: say so here.
struct KubeStateNames {
    /// Has a series for each pod that exists.
    std::string pod_info = "kube_pod_info";
    /// Has a series for each pod with its owner.
    std::string pod_owner = "kube_pod_owner";
    /// The label with the pod's namespace.
    std::string namespace_name = "namespace";
    /// The label with the pod's name.
    std::string pod = "pod";
    /// The label with the kind of the owner.
    std::string owner_kind = "owner_kind";
    /// The label with the owner's name.
    std::string owner_name = "owner_name";
};

/// Which metric of an inference server answers which signal, with the names it had in other
/// versions behind it.
///
/// A list is in order of preference: the first name that has a value answers. All names are asked
/// in one query. `computation_of` says what kind of metric each signal needs; for an average the
/// name is the histogram's, without
/// `_sum` and `_count`.
struct EngineProfile {
    /// For people: `vllm`.
    std::string name;

    ///@{
    /// The metrics' names per signal, the preferred one first.
    std::vector<std::string> running;
    std::vector<std::string> arrival_rate;
    std::vector<std::string> input_tokens;
    std::vector<std::string> output_tokens;
    std::vector<std::string> ttft;
    std::vector<std::string> itl;
    std::vector<std::string> kv_cache_usage;
    std::vector<std::string> queue_length;
    ///@}

    /// The labels of the engine's metrics.
    EngineLabels labels = {};
    /// What kube-state-metrics calls its own.
    KubeStateNames kube_state = {};

    /// The names for one signal, most preferred first.
    const std::vector<std::string>& metrics(Signal signal) const noexcept {
        switch (signal) {
        case Signal::running:
            return running;
        case Signal::arrival_rate:
            return arrival_rate;
        case Signal::input_tokens:
            return input_tokens;
        case Signal::output_tokens:
            return output_tokens;
        case Signal::ttft:
            return ttft;
        case Signal::itl:
            return itl;
        case Signal::kv_cache_usage:
            return kv_cache_usage;
        case Signal::queue_length:
            return queue_length;
        }
        return running;
    }
};

/// vLLM, its V1 engine first, down to the names of 0.8.
///
/// `gpu_cache_usage_perc` became `kv_cache_usage_perc` in 0.9, `time_per_output_token_seconds`
/// became `inter_token_latency_seconds` in 0.11. `request_time_per_output_token_seconds` is not
/// among them: it weighs every request alike, not every token, and would give another number.
inline EngineProfile vllm_profile() {
    return {
        .name = "vllm",
        .running = {"vllm:num_requests_running"},
        .arrival_rate = {"vllm:request_success_total"},
        .input_tokens = {"vllm:request_prompt_tokens"},
        .output_tokens = {"vllm:request_generation_tokens"},
        .ttft = {"vllm:time_to_first_token_seconds"},
        .itl = {"vllm:inter_token_latency_seconds", "vllm:time_per_output_token_seconds"},
        .kv_cache_usage = {"vllm:kv_cache_usage_perc", "vllm:gpu_cache_usage_perc"},
        .queue_length = {"vllm:num_requests_waiting"},
    };
}

/// Names per signal at most; each one makes every query of that signal longer.
inline constexpr std::size_t max_metrics_per_signal = 16;

namespace detail {

inline void check_metric(std::vector<std::string>& problems, const std::string& where,
                         const std::string& name) {
    if (!wva_metrics::detail::is_metric_name(name))
        problems.push_back(where + ": \"" + name + "\" is no metric name");
    else if (wva_metrics::detail::is_reserved_as_metric(name))
        problems.push_back(where + ": \"" + name + "\" is a word of PromQL and cannot be queried");
}

/// `labels` are those that stand together in one query.
inline void check_labels(std::vector<std::string>& problems, const std::string& where,
                         const std::vector<std::string>& labels) {
    for (auto label = labels.begin(); label != labels.end(); ++label) {
        if (!wva_metrics::detail::is_label_name(*label))
            problems.push_back(where + ": \"" + *label + "\" is no label name");
        else if (wva_metrics::detail::is_reserved_as_label(*label))
            problems.push_back(where + ": \"" + *label +
                               "\" is a word of PromQL and cannot be grouped by");
        else if (label->starts_with("__"))
            problems.push_back(where + ": \"" + *label +
                               "\" is internal to Prometheus; no result carries it");
        else if (*label == part_label)
            problems.push_back(where + ": \"" + *label + "\" is used by the queries themselves");
        if (std::find(labels.begin(), label, *label) != label)
            problems.push_back(where + ": \"" + *label + "\" is used more than once");
    }
}

} // namespace detail

/// Everything that is wrong with a profile, one sentence each; empty where it is sound. No query
/// may be built from a profile that is not.
inline std::vector<std::string> validate(const EngineProfile& profile) {
    std::vector<std::string> problems;
    if (profile.name.empty())
        problems.emplace_back("name must not be empty");
    for (const Signal signal : all_signals) {
        const std::vector<std::string>& names = profile.metrics(signal);
        const std::string where(to_string(signal));
        if (names.empty())
            problems.push_back(where + ": at least one metric name is needed");
        if (names.size() > max_metrics_per_signal)
            problems.push_back(where + ": at most " + std::to_string(max_metrics_per_signal) +
                               " metric names are possible");
        for (auto name = names.begin(); name != names.end(); ++name) {
            detail::check_metric(problems, where, *name);
            if (std::find(names.begin(), name, *name) != name)
                problems.push_back(where + ": \"" + *name + "\" is listed more than once");
        }
    }
    const EngineLabels& labels = profile.labels;
    std::vector<std::string> together = {labels.namespace_name, labels.model, labels.pod};
    together.insert(together.end(), labels.engine.begin(), labels.engine.end());
    detail::check_labels(problems, "labels", together);

    const KubeStateNames& kube = profile.kube_state;
    detail::check_metric(problems, "kube_state", kube.pod_info);
    detail::check_metric(problems, "kube_state", kube.pod_owner);
    detail::check_labels(problems, "kube_state",
                         {kube.namespace_name, kube.pod, kube.owner_kind, kube.owner_name});
    return problems;
}

} // namespace wva_metrics
