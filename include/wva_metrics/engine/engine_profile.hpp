// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/clean_text.hpp"
#include "wva_metrics/detail/metric_names.hpp"
#include "wva_metrics/engine/metric_source.hpp"
#include "wva_metrics/signal.hpp"

#include <array>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace wva_metrics {

/// The labels that identify a series: its namespace, model, pod and engine.
///
/// Set other names if the relabelling of the scrape uses them.
struct EngineLabels {
    /// The pod's namespace.
    std::string namespace_name = "namespace";
    /// The model's id. Empty if the server does not name it; Prometheus cannot be asked by model then.
    std::string model = "model_name";
    /// The pod's name.
    std::string pod = "pod";
    /// Distinguish the engines inside one pod, e.g. with data parallelism; may be empty.
    std::vector<std::string> engine = {"engine"};
    /// Distinguish parts of one engine that all say the same, e.g. the ranks of tensor parallelism:
    /// of series that differ only in these, one counts. May be empty.
    std::vector<std::string> copies = {};
};

/// The names in kube-state-metrics, which reports deleted pods and the owners of pods.
///
/// A scrape without `honorLabels` adds the prefix `exported_` to `namespace` and `pod`: set these
/// names then.
struct KubeStateNames {
    /// The metric with a series for each existing pod.
    std::string pod_info = "kube_pod_info";
    /// The metric with a series for each pod and its owner.
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

/// The metric names of one kind of inference server, per signal.
///
/// A list is in order of preference, e.g. the name in the current version before the name in older
/// versions: the first name with a value is used. All names are in one query. `computation_of`
/// returns the kind of metric that a signal needs. For an average, the name is that of the
/// histogram, without `_sum` and `_count`. A name may also be a selection, a sum or a quotient of
/// metrics, or have another unit; see `parse_metric_source`.
///
/// An empty list says that the server publishes nothing for the signal: its readings are then
/// missing with `ReadingReason::not_provided`.
struct EngineProfile {
    /// For display, e.g. `vllm`.
    std::string name;

    ///@{
    /// The metric names of a signal, the preferred one first.
    std::vector<std::string> running;
    std::vector<std::string> arrival_rate;
    std::vector<std::string> input_tokens;
    std::vector<std::string> output_tokens;
    std::vector<std::string> ttft;
    std::vector<std::string> itl;
    std::vector<std::string> kv_cache_usage;
    std::vector<std::string> queue_length;
    std::vector<std::string> kv_capacity = {};
    std::vector<std::string> prefix_cache_hit_rate = {};
    std::vector<std::string> generation_rate = {};
    std::vector<std::string> running_requests = {};
    std::vector<std::string> queue_time = {};
    std::vector<std::string> e2e_latency = {};
    ///@}

    /// The labels of the engine's metrics.
    EngineLabels labels = {};
    /// The metrics and labels of kube-state-metrics.
    KubeStateNames kube_state = {};

    ///@{
    /// The metric names of a signal, the preferred one first.
    std::vector<std::string>& operator[](Signal signal) noexcept;
    const std::vector<std::string>& operator[](Signal signal) const noexcept;
    ///@}
};

/// The member of `EngineProfile` with a signal's metric names.
struct SignalMetrics {
    Signal signal;                                  ///< The signal.
    std::vector<std::string> EngineProfile::*names; ///< Its names, in the order of preference.
};

/// One row per signal, in the order of the enumeration.
inline constexpr std::array signal_metrics = {
    SignalMetrics{Signal::running, &EngineProfile::running},
    SignalMetrics{Signal::arrival_rate, &EngineProfile::arrival_rate},
    SignalMetrics{Signal::input_tokens, &EngineProfile::input_tokens},
    SignalMetrics{Signal::output_tokens, &EngineProfile::output_tokens},
    SignalMetrics{Signal::ttft, &EngineProfile::ttft},
    SignalMetrics{Signal::itl, &EngineProfile::itl},
    SignalMetrics{Signal::kv_cache_usage, &EngineProfile::kv_cache_usage},
    SignalMetrics{Signal::queue_length, &EngineProfile::queue_length},
    SignalMetrics{Signal::kv_capacity, &EngineProfile::kv_capacity},
    SignalMetrics{Signal::prefix_cache_hit_rate, &EngineProfile::prefix_cache_hit_rate},
    SignalMetrics{Signal::generation_rate, &EngineProfile::generation_rate},
    SignalMetrics{Signal::running_requests, &EngineProfile::running_requests},
    SignalMetrics{Signal::queue_time, &EngineProfile::queue_time},
    SignalMetrics{Signal::e2e_latency, &EngineProfile::e2e_latency},
};

static_assert(signal_metrics.size() == signals.size(), "each signal has a member of EngineProfile");
static_assert(detail::is_in_signal_order(signal_metrics));

inline std::vector<std::string>& EngineProfile::operator[](Signal signal) noexcept {
    return this->*signal_metrics[detail::index_of(signal)].names;
}

inline const std::vector<std::string>& EngineProfile::operator[](Signal signal) const noexcept {
    return this->*signal_metrics[detail::index_of(signal)].names;
}

/// Maximum number of names per signal. Each name makes every query of the signal longer.
inline constexpr std::size_t max_metrics_per_signal = 16;

namespace detail {

/// A name that may be anything, for a problem.
inline std::string quoted_name(std::string_view name) {
    constexpr std::size_t longest = 100;
    return '"' + wva_metrics::detail::clean_text(name, longest) + '"';
}

inline void check_metric(std::vector<std::string>& problems, const std::string& where,
                         const std::string& name) {
    if (!wva_metrics::detail::is_metric_name(name))
        problems.push_back(where + ": " + quoted_name(name) + " is not a valid metric name");
    else if (wva_metrics::detail::is_reserved_as_metric(name))
        problems.push_back(where + ": " + quoted_name(name) +
                           " is a reserved word of PromQL and cannot be queried");
}

/// `labels` are those that are used together in one query.
inline void check_labels(std::vector<std::string>& problems, const std::string& where,
                         const std::vector<std::string>& labels) {
    std::unordered_set<std::string_view> seen;
    for (const std::string& label : labels) {
        if (!wva_metrics::detail::is_label_name(label))
            problems.push_back(where + ": " + quoted_name(label) + " is not a valid label name");
        else if (wva_metrics::detail::is_reserved_as_label(label))
            problems.push_back(where + ": " + quoted_name(label) +
                               " is a reserved word of PromQL and cannot be grouped by");
        else if (label.starts_with("__"))
            problems.push_back(where + ": " + quoted_name(label) +
                               " is internal to Prometheus; no result carries it");
        if (!seen.insert(label).second)
            problems.push_back(where + ": " + quoted_name(label) + " is used more than once");
    }
}

/// The labels that each metric requires, by its name.
using RequiredNames = std::map<std::string, std::vector<std::string>>;

/// A metric and the labels that it requires. Series are told apart by them, so that one metric must
/// require the same ones everywhere.
inline void check_term(std::vector<std::string>& problems, const std::string& where,
                       const MetricTerm& term, RequiredNames& required) {
    check_metric(problems, where, term.name);
    std::vector<std::string> names;
    const auto check_label = [&](const std::string& label) {
        if (!wva_metrics::detail::is_label_name(label) || label.starts_with("__"))
            problems.push_back(where + ": " + quoted_name(label) +
                               " is not a label that a series can be selected by");
    };
    for (const RequiredLabel& label : term.labels) {
        check_label(label.name);
        names.push_back(label.name);
    }
    for (const std::string& label : term.factors)
        check_label(label);
    const auto [found, is_new] = required.try_emplace(term.name, names);
    if (!is_new && found->second != names)
        problems.push_back(where + ": " + quoted_name(term.name) +
                           " requires other labels in another place");
}

/// One name of a signal.
inline void check_source(std::vector<std::string>& problems, const std::string& where,
                         const std::string& text, Signal signal, RequiredNames& required) {
    const Result<MetricSource> source = parse_metric_source(text);
    if (source.has_error()) {
        problems.push_back(where + ": " + quoted_name(text) + ": " + source.error().message);
        return;
    }
    for (const MetricTerm& term : source->terms)
        check_term(problems, where, term, required);
    if (source->per)
        check_term(problems, where, *source->per, required);
    if (source->times)
        check_term(problems, where, *source->times, required);
    const SignalInfo& info = info_of(signal);
    const bool is_average = info.computation == Computation::average;
    if (source->per && !is_average)
        problems.push_back(where + ": " + quoted_name(text) +
                           ": only an average is a quotient of two metrics");
    const bool has_factors = source->times || !source->terms.front().factors.empty();
    if (has_factors && info.computation != Computation::gauge_last)
        problems.push_back(where + ": " + quoted_name(text) +
                           ": only the last sample of a gauge is a product");
    const bool is_added = info.across_engines == AcrossEngines::sum && !is_average &&
                          info.computation != Computation::histogram && !has_factors;
    if (source->terms.size() > 1 && !is_added)
        problems.push_back(where + ": " + quoted_name(text) +
                           ": metrics of this signal cannot be added up");
}

} // namespace detail

/// All problems of a profile, one sentence each; empty if it is valid. Queries must be built from
/// valid profiles only.
inline std::vector<std::string> validate(const EngineProfile& profile) {
    std::vector<std::string> problems;
    if (profile.name.empty())
        problems.emplace_back("name must not be empty");
    detail::RequiredNames required;
    for (const SignalInfo& info : signals) {
        const Signal signal = info.signal;
        const std::vector<std::string>& names = profile[signal];
        const std::string where(to_string(signal));
        if (names.empty() && signal == Signal::running)
            problems.push_back(where + ": at least one metric name is required, because it shows "
                                       "that a server reports");
        if (names.size() > max_metrics_per_signal)
            problems.push_back(where + ": at most " + std::to_string(max_metrics_per_signal) +
                               " metric names are allowed");
        std::unordered_set<std::string_view> seen;
        for (const std::string& name : names) {
            detail::check_source(problems, where, name, signal, required);
            if (!seen.insert(name).second)
                problems.push_back(where + ": " + detail::quoted_name(name) +
                                   " is listed more than once");
        }
    }
    const EngineLabels& labels = profile.labels;
    std::vector<std::string> together = {labels.namespace_name, labels.pod};
    if (!labels.model.empty())
        together.insert(together.begin() + 1, labels.model);
    together.insert(together.end(), labels.engine.begin(), labels.engine.end());
    together.insert(together.end(), labels.copies.begin(), labels.copies.end());
    detail::check_labels(problems, "labels", together);

    const KubeStateNames& kube = profile.kube_state;
    detail::check_metric(problems, "kube_state", kube.pod_info);
    detail::check_metric(problems, "kube_state", kube.pod_owner);
    detail::check_labels(problems, "kube_state",
                         {kube.namespace_name, kube.pod, kube.owner_kind, kube.owner_name});
    return problems;
}

} // namespace wva_metrics
