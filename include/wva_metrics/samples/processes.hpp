// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/samples/cluster_conflict.hpp"
#include "wva_metrics/samples/detail/pod_attribution.hpp"
#include "wva_metrics/samples/detail/process_warnings.hpp"
#include "wva_metrics/samples/detail/target_labels.hpp"
#include "wva_metrics/samples/metric_set.hpp"
#include "wva_metrics/samples/pod_processes.hpp"
#include "wva_metrics/samples/process.hpp"
#include "wva_metrics/samples/relation.hpp"
#include "wva_metrics/samples/sample_rules.hpp"
#include "wva_metrics/samples/value_evidence.hpp"
#include "wva_metrics/samples/view.hpp"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics::samples {

/// More views of one pod are not compared, and the pod is ambiguous.
inline constexpr std::size_t max_compared_views = 32;

namespace detail {

/// Divides the views of one model into processes.
class ProcessFinder {
public:
    ProcessFinder(const MetricSet& metrics, const SampleRules& rules, ServerTime now)
        : traits_(metrics), rules_(rules), now_(now), comparer_(traits_, rules, now),
          warnings_(rules) {}

    ModelProcesses find(std::span<const View> views) {
        std::vector<const View*> sorted;
        for (const View& view : views)
            if (!view.series.empty() && !view.times.empty())
                sorted.push_back(&view);
        std::ranges::sort(sorted, {}, [](const View* view) { return std::tie(view->labels); });
        if (const auto conflict = find_cluster_conflict(sorted, traits_, rules_))
            add_conflict(sorted, *conflict);
        else
            add_pods(by_pod(sorted));
        std::ranges::sort(result_.undecided);
        result_.undecided.erase(std::unique(result_.undecided.begin(), result_.undecided.end()),
                                result_.undecided.end());
        result_.ambiguity_warnings = warnings_.take_ambiguities();
        result_.warnings = std::move(warnings_).take();
        return std::move(result_);
    }

private:
    using Pods = std::map<std::string_view, std::vector<const View*>>;

    void add_conflict(std::span<const View* const> views, const ClusterConflict& conflict) {
        Pods pods;
        for (const View* view : views)
            pods[view->pod].push_back(view);
        for (auto& [pod, copies] : pods)
            add_whole(pod, std::move(copies), ProcessStatus::ambiguous,
                      "several values of the label " + conflict.label);
        result_.has_cluster_conflict = true;
        warnings_.add(conflict);
    }

    /// Also of the views whose labels name no pod, where they are copies of others.
    Pods by_pod(std::span<const View* const> views) {
        Pods pods;
        std::vector<const View*> named;
        std::vector<const View*> unnamed;
        for (const View* view : views)
            (view->pod.empty() ? unnamed : named).push_back(view);
        for (const View* view : named)
            pods[view->pod].push_back(view);
        if (unnamed.empty())
            return pods;
        const PodAttribution attribution(named, unnamed.size(), traits_, rules_);
        std::map<std::string_view, bool> has_copy;
        for (const View* view : unnamed) {
            const std::string_view pod = attribution.find(*view);
            pods[pod].push_back(view);
            has_copy[pod] = true;
        }
        for (const auto& [pod, unused] : has_copy)
            if (!pod.empty())
                warnings_.add_copy(pod);
        return pods;
    }

    /// True if no label holds an address. Prometheus gives each target one, but a recording rule
    /// may take it away.
    bool is_bare(const View* view) const noexcept {
        return first_label(view->labels, rules_.address).empty();
    }

    void add_pods(Pods pods) {
        const bool has_addresses = std::ranges::any_of(pods, [this](const auto& pod) {
            return !std::ranges::all_of(pod.second, [this](auto* view) { return is_bare(view); });
        });
        for (auto& [pod, views] : pods) {
            const auto bare = std::stable_partition(
                views.begin(), views.end(), [this](const View* view) { return !is_bare(view); });
            const bool is_beside = bare != views.begin() || (pod.empty() && has_addresses);
            const std::vector<const View*> left_out(is_beside ? bare : views.end(), views.end());
            if (is_beside)
                views.erase(bare, views.end());
            if (!views.empty())
                add_pod(pod, views);
            for (const View* view : left_out) {
                add_whole(pod, {view}, ProcessStatus::aggregate, "no address");
                warnings_.add_aggregate();
            }
        }
    }

    void add_pod(std::string_view pod, const std::vector<const View*>& views) {
        if (pod.empty())
            add_unnamed(views);
        else if (views.size() == 1)
            add_whole(pod, views, ProcessStatus::counted, {});
        else
            add_divided(pod, views);
    }

    /// Servers whose labels name no pod: if they are many, each address is one.
    void add_unnamed(const std::vector<const View*>& views) {
        if (views.size() <= max_compared_views) {
            add_divided({}, views);
        } else {
            std::map<std::string_view, std::vector<const View*>> by_address;
            for (const View* view : views)
                by_address[view->address].push_back(view);
            for (const auto& [address, copies] : by_address)
                add_divided({}, copies);
        }
    }

    void add_divided(std::string_view pod, const std::vector<const View*>& views) {
        if (views.size() > max_compared_views) {
            add_whole(pod, views, ProcessStatus::ambiguous, "too many sets of labels");
            warnings_.add_crowded(pod, views.size(), max_compared_views);
            return;
        }
        PodProcesses found = divide_pod(pod, views, comparer_, now_, rules_);
        for (const UnclearPair& pair : found.unclear)
            warnings_.add(pod, pair);
        for (Process& process : found.processes) {
            if (process.status == ProcessStatus::unattributed)
                warnings_.add_unattributed();
            if (process.status == ProcessStatus::ambiguous)
                add_undecided(process);
            result_.processes.push_back(std::move(process));
        }
    }

    void add_undecided(const Process& process) {
        for (const View* copy : process.copies)
            if (!copy->pod.empty())
                result_.undecided.push_back({copy->pod_label, copy->pod});
    }

    void add_whole(std::string_view pod, std::vector<const View*> copies, ProcessStatus status,
                   std::string evidence) {
        Process& process = result_.processes.emplace_back();
        process.pod = pod;
        process.copies = std::move(copies);
        process.status = status;
        if (!evidence.empty())
            process.evidence.push_back(std::move(evidence));
    }

    MetricTraits traits_;
    const SampleRules& rules_;
    ServerTime now_;
    ViewComparer comparer_;
    ProcessWarnings warnings_;
    ModelProcesses result_;
};

} // namespace detail

/// Which series of a model are of the same process. `now` is by what life is judged, on the clock
/// of the server (`reference_time`). The views must outlive the result, whose order does not depend
/// on theirs.
///
/// Only what is proven or very likely is decided: else a process is ambiguous, because to count it
/// twice or not at all would be wrong without notice. A pod with one view is not compared with any.
inline ModelProcesses find_processes(std::span<const View> views, const MetricSet& metrics,
                                     const SampleRules& rules, ServerTime now) {
    return detail::ProcessFinder(metrics, rules, now).find(views);
}

} // namespace wva_metrics::samples
