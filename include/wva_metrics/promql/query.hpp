// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/engine/engine_profile.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/promql/duration.hpp"
#include "wva_metrics/promql/part.hpp"
#include "wva_metrics/promql/query_windows.hpp"
#include "wva_metrics/promql/selector.hpp"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics::promql {

/// A query and the labels of its answer, in the order in which they are wanted.
struct Query {
    /// The expression.
    std::string promql;
    /// The names of the labels.
    std::vector<std::string> labels;
};

/// The columns of the labels in the answer about a signal. An answer about presence has no pod.
/// Only a gauge has engines, from `first_engine` to the end.
struct SignalColumns {
    ///@{
    /// The column of a label.
    static constexpr std::size_t part = 0;
    static constexpr std::size_t namespace_name = 1;
    static constexpr std::size_t model = 2;
    static constexpr std::size_t pod = 3;
    static constexpr std::size_t first_engine = 4;
    ///@}
};

/// The columns of the labels in the answer about pods. Only `Part::owner` has an owner;
/// `Part::reporting` has no label except `part`.
struct PodColumns {
    ///@{
    /// The column of a label.
    static constexpr std::size_t part = 0;
    static constexpr std::size_t namespace_name = 1;
    static constexpr std::size_t pod = 2;
    static constexpr std::size_t owner_kind = 3;
    static constexpr std::size_t owner_name = 4;
    ///@}
};

namespace detail {

/// Combines the parts of a query into one expression, each with its tag.
class PartsWriter {
public:
    void add(PartTag tag, std::string_view expression) {
        if (!text_.empty())
            text_ += " or ";
        text_ += "label_replace(";
        text_ += expression;
        text_ += ", \"";
        text_ += part_label;
        text_ += "\", \"";
        text_ += to_string(tag);
        text_ += "\", \"\", \"\")";
    }
    std::string take() && { return std::move(text_); }

private:
    std::string text_;
};

inline std::vector<std::string> grouping_labels(Computation computation,
                                                const EngineLabels& labels) {
    std::vector<std::string> grouping = {labels.namespace_name, labels.model};
    if (computation != Computation::presence)
        grouping.push_back(labels.pod);
    if (computation == Computation::gauge_peak)
        grouping.insert(grouping.end(), labels.engine.begin(), labels.engine.end());
    return grouping;
}

inline std::string by(const std::vector<std::string>& grouping) {
    std::string text = " by (";
    for (std::size_t i = 0; i < grouping.size(); ++i) {
        if (i > 0)
            text += ',';
        text += grouping[i];
    }
    text += ") ";
    return text;
}

/// The highest value in the window; NaN if the last sample is not finite. `max_over_time` alone
/// would ignore a NaN in favour of an older sample. Both functions read the window only, so a
/// series that has ended still has a peak.
inline std::string peak_text(const std::string& series, Duration window) {
    if (window == Duration::zero())
        return series;
    const std::string samples = "(" + series + "[" + format_duration(window) + "])";
    return "max_over_time" + samples + " + 0 * last_over_time" + samples;
}

inline std::string signal_text(Signal signal, const std::string& selector,
                               const EngineProfile& profile, const QueryWindows& windows) {
    const Computation computation = computation_of(signal);
    const std::string grouped = by(grouping_labels(computation, profile.labels));
    const std::string rate_range = "[" + format_duration(windows.rate) + "]";
    const std::vector<std::string>& metrics = profile[signal];
    PartsWriter parts;
    for (std::size_t alias = 0; alias < metrics.size(); ++alias) {
        const std::string& metric = metrics[alias];
        const std::string series = metric + selector;
        switch (computation) {
        case Computation::presence: {
            const std::string sampled = "timestamp(" + series + ")";
            parts.add({Part::time, alias}, "max" + grouped + "(" + sampled + ")");
            parts.add({Part::recent, alias}, "max" + grouped + "(max_over_time(" + sampled + "[" +
                                                 format_duration(windows.stale_lookback) + ":" +
                                                 format_duration(windows.stale_step) + "]))");
            break;
        }
        case Computation::counter_rate:
            parts.add({Part::rate, alias}, "sum" + grouped + "(rate(" + series + rate_range + "))");
            parts.add({Part::time, alias}, "min" + grouped + "(timestamp(" + series + "))");
            break;
        case Computation::average: {
            const std::string count = metric + "_count" + selector;
            parts.add({Part::sum, alias},
                      "sum" + grouped + "(rate(" + metric + "_sum" + selector + rate_range + "))");
            parts.add({Part::count, alias}, "sum" + grouped + "(rate(" + count + rate_range + "))");
            parts.add({Part::time, alias}, "min" + grouped + "(timestamp(" + count + "))");
            break;
        }
        case Computation::gauge_peak: {
            parts.add({Part::value, alias},
                      "max" + grouped + "(" + peak_text(series, windows.peak) + ")");
            parts.add({Part::time, alias}, "min" + grouped + "(timestamp(" + series + "))");
            break;
        }
        }
    }
    return std::move(parts).take();
}

inline Query signal_query(Signal signal, const std::string& selector, const EngineProfile& profile,
                          const QueryWindows& windows) {
    Query query{signal_text(signal, selector, profile, windows), {std::string(part_label)}};
    for (std::string& label : grouping_labels(computation_of(signal), profile.labels))
        query.labels.push_back(std::move(label));
    return query;
}

inline std::string pods_text(const std::string& selector, const KubeStateNames& kube,
                             const QueryWindows& windows, std::span<const Matcher> matchers = {}) {
    const std::string pod = by({kube.namespace_name, kube.pod});
    const std::string owned = by({kube.namespace_name, kube.pod, kube.owner_kind, kube.owner_name});
    const std::string info = kube.pod_info + selector;
    PartsWriter parts;
    // `unless` drops existing pods: they are the majority and not needed.
    parts.add({Part::gone}, "max" + pod + "(last_over_time(" + info + "[" +
                                format_duration(windows.pod_retention) + "])) unless max" + pod +
                                "(" + info + ")");
    parts.add({Part::owner}, "max" + owned + "(" + kube.pod_owner + selector + ")");
    // All namespaces are counted, because the last pod of the selected ones may be gone. So this
    // shows an outage of all instances of kube-state-metrics, but not of one among several.
    parts.add({Part::reporting}, "count(" + kube.pod_info +
                                     (matchers.empty() ? "" : "{" + to_string(matchers) + "}") +
                                     ")");
    return std::move(parts).take();
}

} // namespace detail

/// The query for one signal of all models in scope, under all names of the metric, with the time of
/// its samples.
///
/// For `Signal::running`, the answer has the time when each model's servers last reported, now and
/// within `windows.stale_lookback`: a model that only appears in the look-back is stale, not
/// missing. The look-back is the most expensive part for Prometheus, so query few models at a time.
///
/// `profile`, `windows` and `matchers` must be valid. Only series that meet the matchers count.
///
/// **Errors:** `invalid_argument` if the scope is empty, has an empty model or is not UTF-8.
///
/// **Threads:** any thread.
inline Result<Query> build_signal_query(Signal signal, const QueryScope& scope,
                                        const EngineProfile& profile, const QueryWindows& windows,
                                        std::span<const Matcher> matchers = {}) {
    const EngineLabels& labels = profile.labels;
    const auto selector = scope_selector(scope, labels.namespace_name, labels.model, matchers);
    if (!selector)
        return selector.error();
    return detail::signal_query(signal, *selector, profile, windows);
}

/// The same query for all models in these namespaces. There must be at least one namespace.
///
/// The answer may contain models that were not wanted. For many models, filtering the answer is
/// cheaper than a large regular expression of models in each part of the query.
///
/// **Errors, threads:** as `build_signal_query`.
inline Result<Query> build_signal_query_of_all(Signal signal,
                                               std::span<const std::string> namespaces,
                                               const EngineProfile& profile,
                                               const QueryWindows& windows,
                                               std::span<const Matcher> matchers = {}) {
    const auto selector = namespace_selector(namespaces, profile.labels.namespace_name, matchers);
    if (!selector)
        return selector.error();
    return detail::signal_query(signal, *selector, profile, windows);
}

/// The query about the pods of these namespaces: which were reported recently and no longer are,
/// which workloads own them, and whether kube-state-metrics reports anything.
///
/// The absence of a pod is only meaningful if kube-state-metrics reports, and if the pod's own
/// series have ended: one of several instances of kube-state-metrics may be restarting.
///
/// **Errors, threads:** as `build_signal_query`.
inline Result<Query> build_pods_query(std::span<const std::string> namespaces,
                                      const EngineProfile& profile, const QueryWindows& windows,
                                      std::span<const Matcher> matchers = {}) {
    const KubeStateNames& kube = profile.kube_state;
    const auto selector = namespace_selector(namespaces, kube.namespace_name, matchers);
    if (!selector)
        return selector.error();
    return Query{
        detail::pods_text(*selector, kube, windows, matchers),
        {std::string(part_label), kube.namespace_name, kube.pod, kube.owner_kind, kube.owner_name}};
}

} // namespace wva_metrics::promql
