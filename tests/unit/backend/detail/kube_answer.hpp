// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/detail/kube_pods.hpp"
#include "wva_metrics/engine/engine_profile.hpp"
#include "wva_metrics/prometheus/answer.hpp"
#include "wva_metrics/samples/sample.hpp"
#include "wva_metrics/samples/sample_rules.hpp"

#include <chrono>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Answers of kube-state-metrics for the tests of what is known of pods.
namespace wva_metrics::test_support {

using namespace std::chrono_literals;

/// The time by which all tests judge.
inline constexpr samples::ServerTime kube_now{std::chrono::milliseconds(1'700'000'000'123)};

/// One series of an answer.
struct KubeSeries {
    std::map<std::string, std::string> labels;
    std::vector<samples::Sample> samples;

    /// The same series with another label; an empty value removes it.
    KubeSeries with(const std::string& name, const std::string& value) const {
        KubeSeries result = *this;
        if (value.empty())
            result.labels.erase(name);
        else
            result.labels[name] = value;
        return result;
    }
    /// The same series with this value in all samples.
    KubeSeries with_value(double value) const {
        KubeSeries result = *this;
        for (samples::Sample& sample : result.samples)
            sample.value = value;
        return result;
    }
    /// The same series, ended by a marker of VictoriaMetrics at this age.
    KubeSeries ended(samples::ServerDuration age) const {
        KubeSeries result = *this;
        result.samples.push_back({kube_now - age, std::numeric_limits<double>::quiet_NaN()});
        return result;
    }
    /// The same series, reported by another instance.
    KubeSeries from(const std::string& instance) const { return with("instance", instance); }
};

/// When a series was scraped: from this age to that one.
struct Scrapes {
    samples::ServerDuration oldest = 10min;
    samples::ServerDuration newest = 0s;
    samples::ServerDuration spacing = 15s;
};

inline KubeSeries kube_series(const std::string& metric, const std::string& pod, Scrapes when) {
    KubeSeries series{{{"__name__", metric},
                       {"namespace", "llm"},
                       {"pod", pod},
                       {"uid", "uid of " + pod},
                       {"instance", "10.0.0.1:8080"},
                       {"job", "kube-state-metrics"}},
                      {}};
    // From the newest on, so that it is exact.
    for (samples::ServerDuration age = when.newest; age <= when.oldest; age += when.spacing)
        series.samples.insert(series.samples.begin(), {kube_now - age, 1});
    return series;
}

inline KubeSeries pod_info(const std::string& pod, Scrapes when = {}) {
    return kube_series("kube_pod_info", pod, when);
}

inline KubeSeries pod_owner(const std::string& pod, const std::string& kind,
                            const std::string& name, Scrapes when = {}) {
    return kube_series("kube_pod_owner", pod, when)
        .with("owner_kind", kind)
        .with("owner_name", name);
}

inline KubeSeries pod_ready(const std::string& pod, double value, Scrapes when = {}) {
    return kube_series("kube_pod_status_ready", pod, when)
        .with("condition", "true")
        .with_value(value);
}

inline void add(wva_metrics::detail::KubePods& pods, const KubeSeries& series) {
    std::vector<samples::LabelView> labels;
    for (const auto& [name, value] : series.labels)
        labels.push_back({name, value});
    pods.add(prometheus::SeriesView{.labels = labels, .samples = series.samples});
}

/// How an answer is judged.
struct KubeJudgement {
    bool nan_ends_series = false;
    bool reports_other_pods = false;
    bool is_complete = true;
    samples::ServerTime now = kube_now;
    KubeStateNames names = {};
};

inline wva_metrics::detail::KubePods judge(const std::vector<KubeSeries>& answer,
                                           const KubeJudgement& how = {}) {
    wva_metrics::detail::KubePods pods(how.names, samples::SampleRules{});
    pods.set_nan_ends_series(how.nan_ends_series);
    pods.set_reporting(how.reports_other_pods);
    if (!how.is_complete)
        pods.mark_incomplete();
    for (const KubeSeries& series : answer)
        add(pods, series);
    pods.finish(how.now);
    return pods;
}

/// `exists`, `missed`, `gone`, `unknown`, or `unseen` if it was not reported.
inline std::string_view fate_of(const wva_metrics::detail::KubePods& pods, std::string_view pod,
                                std::string_view namespace_name = "llm") {
    const wva_metrics::detail::KubePods::Pod* known = pods.find(namespace_name, pod);
    if (known == nullptr)
        return "unseen";
    if (known->exists && known->gone)
        return "both";
    if (known->exists)
        return known->is_missed ? "missed" : "exists";
    return known->gone ? "gone" : "unknown";
}

} // namespace wva_metrics::test_support
