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

/// A question to Prometheus, and the labels of its answer in the order in which they are wanted.
struct Query {
    /// The expression.
    std::string promql;
    /// Their names.
    std::vector<std::string> labels;
};

/// Where the labels of a signal's answer stand. An answer about presence has no pod; only a gauge
/// has engines, from `first_engine` to the end.
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

/// Where the labels of the answer about pods stand. Only `Part::owner` has an owner,
/// `Part::reporting` has none of them.
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

/// The parts of a query, each tagged, joined into one expression.
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

/// The highest value of the window; NaN where the last sample is none that counts, which
/// `max_over_time` would pass over for an older one. Both look into the window alone, so that a
/// series that has ended has a peak too.
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
                             const QueryWindows& windows) {
    const std::string pod = by({kube.namespace_name, kube.pod});
    const std::string owned = by({kube.namespace_name, kube.pod, kube.owner_kind, kube.owner_name});
    const std::string info = kube.pod_info + selector;
    PartsWriter parts;
    // Prometheus takes away those that exist: they are nearly all, and need not be told.
    parts.add({Part::gone}, "max" + pod + "(last_over_time(" + info + "[" +
                                format_duration(windows.pod_memory) + "])) unless max" + pod + "(" +
                                info + ")");
    parts.add({Part::owner}, "max" + owned + "(" + kube.pod_owner + selector + ")");
    // Of all namespaces, since the last pod of these may be gone. So it tells an outage of all
    // instances of kube-state-metrics, not of one that reports these pods beside others.
    parts.add({Part::reporting}, "count(" + kube.pod_info + ")");
    return std::move(parts).take();
}

} // namespace detail

/// One signal of all models in scope, under all the names it may have, with the true time of its
/// samples.
///
/// For `Signal::running` it tells of each model when its servers last reported, now and in the
/// longer past: one that is there in the past only is stale, not missing. Looking into the past is
/// what costs Prometheus most of all here, so ask it about few models at a time.
///
/// `profile` and `windows` must be valid. Errors: `invalid_argument` where the scope is empty,
/// names an empty model or is not UTF-8. Thread-safe.
inline Result<Query> build_signal_query(Signal signal, const QueryScope& scope,
                                        const EngineProfile& profile, const QueryWindows& windows) {
    const EngineLabels& labels = profile.labels;
    const auto selector = scope_selector(scope, labels.namespace_name, labels.model);
    if (!selector)
        return selector.error();
    return detail::signal_query(signal, *selector, profile, windows);
}

/// The same of all models in these namespaces, which must be at least one: the answer may be about
/// more than was wanted, but to tell which costs Prometheus less than to compile a regular
/// expression of many models, once per part. Errors as above. Thread-safe.
inline Result<Query> build_signal_query_of_all(Signal signal,
                                               std::span<const std::string> namespaces,
                                               const EngineProfile& profile,
                                               const QueryWindows& windows) {
    const auto selector = namespace_selector(namespaces, profile.labels.namespace_name);
    if (!selector)
        return selector.error();
    return detail::signal_query(signal, *selector, profile, windows);
}

/// Which pods of these namespaces were reported lately and are no more, whose pods are, and whether
/// kube-state-metrics reports at all: only then does the absence of a pod mean anything. And even
/// then only of a pod whose own series have ended, since of several instances of kube-state-metrics
/// one may be restarting. Errors as `build_signal_query`. Thread-safe.
inline Result<Query> build_pods_query(std::span<const std::string> namespaces,
                                      const EngineProfile& profile, const QueryWindows& windows) {
    const KubeStateNames& kube = profile.kube_state;
    const auto selector = namespace_selector(namespaces, kube.namespace_name);
    if (!selector)
        return selector.error();
    return Query{
        detail::pods_text(*selector, kube, windows),
        {std::string(part_label), kube.namespace_name, kube.pod, kube.owner_kind, kube.owner_name}};
}

/// In which namespaces a model reports, for the message to a person who may have named the wrong
/// one. Its only column is the namespace. Never a proof of availability: a namesake elsewhere is
/// another model.
inline Result<Query> build_namespace_hint_query(std::string_view model_id,
                                                const EngineProfile& profile) {
    if (model_id.empty())
        return Error(Errc::invalid_argument, "the model id is empty");
    const EngineLabels& labels = profile.labels;
    const auto literal = quote(model_id);
    if (!literal)
        return literal.error();
    Query query{{}, {labels.namespace_name}};
    for (const std::string& metric : profile.running) {
        if (!query.promql.empty())
            query.promql += " or ";
        query.promql += "count by (" + labels.namespace_name + ") (" + metric + "{" + labels.model +
                        "=" + *literal + "})";
    }
    return query;
}

} // namespace wva_metrics::promql
