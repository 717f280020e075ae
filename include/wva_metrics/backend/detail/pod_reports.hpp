// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/detail/absence_findings.hpp"
#include "wva_metrics/backend/detail/model_judge.hpp"
#include "wva_metrics/backend/detail/model_report.hpp"
#include "wva_metrics/backend/detail/model_views.hpp"
#include "wva_metrics/backend/detail/pod_states.hpp"
#include "wva_metrics/backend/detail/signal_metrics.hpp"
#include "wva_metrics/detail/clean_text.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/pod_owner.hpp"
#include "wva_metrics/samples/pod_life.hpp"
#include "wva_metrics/samples/pod_report.hpp"
#include "wva_metrics/signal.hpp"
#include "wva_metrics/workload.hpp"

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics::detail {

/// What is known of one target of a model besides its samples.
struct TargetFacts {
    /// The name of its pod.
    std::string pod{};
    /// `scheme://host:port`, and the path.
    std::string url{};
    /// See `ScrapeTarget::owner`.
    std::optional<PodOwner> owner{};
    /// The newest scrape failed: why. Or none has ended yet.
    std::optional<Error> failure{};
    /// Its pages have been read.
    bool was_read = false;
    /// The newest page has metrics that a known kind of server publishes, of whichever model.
    bool has_metrics = false;
    /// The newest page has this model.
    bool has_model = false;
    /// The model was said to be this target's.
    bool is_assigned = false;
    /// It exists no more.
    bool is_retired = false;
    /// The other models on its newest page, some of them. The empty one stands for metrics that name
    /// no model.
    std::set<std::string> other_models{};
    /// What was strange about its newest page; may be empty.
    std::string remark{};
};

/// Completes the report of a model by what its targets say: a pod that is there and was not read has
/// readings that are missing, and the words for it, and never vanishes. Pure.
class PodReports {
public:
    PodReports(const ModelKey& model, const PodStates& states, ModelReport& report)
        : model_(model), states_(states), report_(report) {}

    /// `targets`: all of the model. They need not be sorted.
    void complete(std::span<const TargetFacts> targets) {
        std::map<std::string, Pod> pods;
        for (const TargetFacts& target : targets) {
            note(target);
            if (target.is_retired)
                continue;
            Pod& pod = pods[target.pod];
            pod.fails = pod.fails || target.failure.has_value();
            pod.answers = pod.answers || !target.failure;
            // A page that was never read may have the model. Of one that was, it is known.
            pod.is_expected =
                pod.is_expected || target.has_model || target.is_assigned || !target.was_read;
            if (target.owner)
                pod.owner = target.owner;
        }
        for (JudgedPod& judged : report_.pods)
            if (const auto found = pods.find(judged.report.pod); found != pods.end()) {
                correct(judged, found->second);
                pods.erase(found);
            }
        for (const auto& [name, pod] : pods)
            if (pod.is_expected)
                add_without_samples(name, pod);
        std::ranges::sort(report_.pods, {}, [](const JudgedPod& pod) { return pod.report.pod; });
        finish_notes();
    }

private:
    struct Pod {
        std::optional<PodOwner> owner{};
        bool fails = false;
        bool answers = false;
        bool is_expected = false;
    };

    static void set_reason(JudgedPod& pod, ReadingReason reason, bool only_gauges) {
        const auto set = [&](samples::SignalValue& value, bool is_gauge) {
            if ((only_gauges && !is_gauge) || value.reason == ReadingReason::not_provided)
                return;
            value.reason = reason;
            if (value.time == samples::ServerTime())
                value.time = pod.report.last_sample;
        };
        for (const Signal signal : all_signals)
            set(pod.report.values[index_of(signal)], !is_growth(computation_of(signal)));
        for (samples::OptionalValue& measured : pod.report.optional)
            set(measured.value, !is_growth(computation_of(measured.signal)));
        for (samples::HistogramValue& measured : pod.report.histograms)
            set(measured.value, false);
        if (pod.report.requests)
            set(*pod.report.requests, false);
    }

    /// What was judged by samples alone. The target is known to exist.
    void correct(JudgedPod& pod, const Pod& target) {
        if (target.owner && !pod.owner)
            pod.owner = target.owner;
        switch (pod.report.life) {
        case samples::PodLife::unread:
            // Nothing is known of it now. What it did before it failed is no more its load.
            set_reason(pod, ReadingReason::unread, false);
            break;
        case samples::PodLife::ended:
        case samples::PodLife::gone:
            // It answers without this model. Requests that it served in the window count.
            pod.report.life = target.fails ? samples::PodLife::unread : samples::PodLife::ended;
            set_reason(pod, target.fails ? ReadingReason::unread : ReadingReason::no_series,
                       !target.fails);
            pod.state = states_.state_of(model_.namespace_name, pod.report.pod, pod.report.life);
            break;
        case samples::PodLife::alive:
        case samples::PodLife::part:
        case samples::PodLife::ambiguous:
            break;
        }
    }

    void add_without_samples(const std::string& name, const Pod& target) {
        JudgedPod& pod = report_.pods.emplace_back();
        pod.report.pod = name;
        // Nothing tells what it would be measured by.
        pod.engine = "";
        for (samples::SignalValue& value : pod.report.values)
            value.alias = SignalMetrics::no_name;
        // One that answers without the model is loading it, or was never its pod: no total lacks it.
        pod.report.life = target.fails ? samples::PodLife::unread : samples::PodLife::ended;
        set_reason(pod, target.fails ? ReadingReason::unread : ReadingReason::no_series, false);
        pod.state = states_.state_of(model_.namespace_name, name, pod.report.life);
        pod.owner = states_.owner_of(model_.namespace_name, name);
        if (!pod.owner)
            pod.owner = target.owner;
    }

    void note(const TargetFacts& target) {
        constexpr std::size_t max_bytes = 100;
        const std::string pod = "pod '" + clean_text(target.pod, max_bytes) + "'";
        if (target.is_retired)
            return;
        if (target.failure) {
            ++failures_;
            if (failure_notes_.size() < max_notes)
                failure_notes_.push_back(pod + " could not be read: " + target.failure->describe());
            return;
        }
        if (!target.remark.empty())
            warn(pod + ": " + target.remark);
        others_.insert(target.other_models.begin(), target.other_models.end());
        if (target.has_model) {
            has_model_ = true;
            return;
        }
        if (!target.is_assigned && target.other_models.empty()) {
            // A server whose metrics are switched off, or a pod that is none.
            if (pages_without_metrics_++ < max_notes)
                silent_.push_back(pod + " answers, but its page has no metrics of an inference "
                                        "server that is known; check that its metrics are on");
            return;
        }
        if (!target.is_assigned && target.other_models.contains("")) {
            // It may be this one. An answer without it must not read like one without pods.
            if (failure_notes_.size() < max_notes)
                failure_notes_.push_back(pod + " does not say which model it serves; set "
                                               "ScrapeTarget::model or PodService::model");
            return;
        }
        if (!target.is_assigned)
            return;
        is_named_ = true;
        std::string text = pod + " answers, but its page has no metrics of model '" +
                           clean_text(model_.model_id, max_bytes) + "'";
        std::size_t named = 0;
        for (const std::string& other : target.other_models)
            if (named++ < 3)
                text +=
                    (named == 1 ? "; it has those of '" : "', '") + clean_text(other, max_bytes);
        warn(text + (named > 0 ? "'" : ""));
    }

    void warn(std::string text) {
        if (warnings_++ < max_notes)
            report_.warnings.push_back(std::move(text));
    }

    void finish_notes() {
        others_.erase("");
        if (!has_model_) {
            // What serves no model that is known may serve this one.
            failure_notes_.insert(failure_notes_.end(), silent_.begin(), silent_.end());
            if (!is_named_ && !others_.empty())
                warn("no page has metrics of model '" + name_of(model_.model_id) +
                     "'; the nearest of the models that they have is '" +
                     name_of(nearest_of(model_.model_id, others_)) + "'");
        }
        report_.partial_because.insert(failure_notes_.begin(), failure_notes_.end());
        if (failures_ > failure_notes_.size())
            report_.partial_because.insert(std::to_string(failures_) + " pods could not be read");
    }

    static std::string name_of(const std::string& model) {
        constexpr std::size_t max_bytes = 100;
        return clean_text(model, max_bytes);
    }

    /// Sentences about single pods, of each kind.
    static constexpr std::size_t max_notes = 5;

    const ModelKey& model_;
    const PodStates& states_;
    ModelReport& report_;
    std::vector<std::string> failure_notes_;
    std::size_t failures_ = 0;
    std::size_t warnings_ = 0;
    /// About pages without any metric that is known.
    std::vector<std::string> silent_;
    std::size_t pages_without_metrics_ = 0;
    /// The other models that pages have, some of them.
    std::set<std::string> others_;
    /// One page has this model.
    bool has_model_ = false;
    /// A warning says which models a page has instead.
    bool is_named_ = false;
};

} // namespace wva_metrics::detail
