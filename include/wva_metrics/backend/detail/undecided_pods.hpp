// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/reading.hpp"
#include "wva_metrics/samples/counter.hpp"
#include "wva_metrics/samples/metric_set.hpp"
#include "wva_metrics/samples/process.hpp"
#include "wva_metrics/samples/view.hpp"
#include "wva_metrics/workload.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <iterator>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics::detail {

/// Remembers, of pods that the samples of one round do not suffice for, when more samples were
/// queried and what they decided. More samples are expensive, so a pod is asked for once a minute.
///
/// What was decided of a pod's views holds until a counter begins anew, another view appears, or
/// more samples decide otherwise.
///
/// Pure: the time is passed in.
///
/// **Threads:** safe.
class UndecidedPods {
public:
    /// How long a pod is not asked for again.
    static constexpr Duration ask_again_after = std::chrono::minutes(1);
    /// A pod that was not asked for is forgotten after this time: it is gone or decided.
    static constexpr Duration forget_after = std::chrono::minutes(10);
    /// Pods that are remembered. More are not asked for.
    static constexpr std::size_t max_pods = 20'000;

    /// True if the pod was not asked for within `ask_again_after`; then it counts as asked for now.
    bool ask(const ModelKey& model, const std::string& pod, TimePoint now) {
        const std::lock_guard lock(mutex_);
        forget_old(now);
        if (pods_.size() >= max_pods && !pods_.contains({model, pod}))
            return false;
        const auto [place, is_new] = pods_.try_emplace({model, pod});
        if (!is_new && now - place->second.asked < ask_again_after)
            return false;
        place->second.asked = now;
        return true;
    }

    /// Keeps what more samples decided of a pod: its processes, all of them.
    void learn(const ModelKey& model, const std::string& pod,
               const std::vector<const samples::Process*>& processes, samples::ServerTime now) {
        Decision decision;
        decision.decided_at = now;
        for (const samples::Process* process : processes) {
            decision.evidence.push_back(process->evidence);
            for (const samples::View* view : process->copies)
                decision.places.emplace_back(view->labels, decision.statuses.size());
            decision.statuses.push_back(process->status);
        }
        std::sort(decision.places.begin(), decision.places.end());
        const std::lock_guard lock(mutex_);
        pods_[{model, pod}].decision = std::move(decision);
    }

    /// Replaces the processes of pods that are ambiguous by what was decided earlier.
    void apply(const ModelKey& model, const samples::MetricSet& metrics,
               samples::ModelProcesses& found) const {
        const std::lock_guard lock(mutex_);
        if (pods_.empty())
            return;
        std::vector<samples::Process>& all = found.processes;
        std::vector<samples::Process> result;
        result.reserve(all.size());
        for (std::size_t first = 0; first < all.size();) {
            std::size_t last = first + 1;
            while (last < all.size() && all[last].pod == all[first].pod)
                ++last;
            std::vector<samples::Process> decided;
            if (is_ambiguous(all, first, last))
                if (const auto known = pods_.find({model, all[first].pod}); known != pods_.end())
                    decided = known->second.decision.of(all, first, last, metrics);
            if (decided.empty())
                std::move(all.begin() + static_cast<std::ptrdiff_t>(first),
                          all.begin() + static_cast<std::ptrdiff_t>(last),
                          std::back_inserter(result));
            else
                std::move(decided.begin(), decided.end(), std::back_inserter(result));
            first = last;
        }
        all = std::move(result);
    }

private:
    struct Decision {
        samples::ServerTime decided_at{};
        /// By labels, sorted: to which process a view belongs.
        std::vector<std::pair<samples::Labels, std::size_t>> places;
        /// By process.
        std::vector<samples::ProcessStatus> statuses;
        std::vector<std::vector<std::string>> evidence; ///< See `statuses`.

        /// The processes of the views of these processes; empty if it does not hold for them.
        std::vector<samples::Process> of(const std::vector<samples::Process>& all,
                                         std::size_t first, std::size_t last,
                                         const samples::MetricSet& metrics) const {
            std::vector<samples::Process> decided(statuses.size());
            for (std::size_t i = first; i < last; ++i) {
                for (const samples::View* view : all[i].copies) {
                    const auto place =
                        std::lower_bound(places.begin(), places.end(), view->labels,
                                         [](const auto& known, const samples::Labels& labels) {
                                             return known.first < labels;
                                         });
                    if (place == places.end() || place->first != view->labels ||
                        began_anew(*view, metrics))
                        return {};
                    decided[place->second].copies.push_back(view);
                }
            }
            std::vector<samples::Process> present;
            for (std::size_t i = 0; i < decided.size(); ++i) {
                if (decided[i].copies.empty())
                    continue;
                decided[i].pod = all[first].pod;
                decided[i].status = statuses[i];
                decided[i].evidence = evidence[i];
                present.push_back(std::move(decided[i]));
            }
            return present;
        }

        bool began_anew(const samples::View& view, const samples::MetricSet& metrics) const {
            return std::any_of(view.series.begin(), view.series.end(), [&](const auto& series) {
                if (!metrics.is_counter(series.metric))
                    return false;
                const auto reset = samples::last_reset(series.samples);
                return reset && *reset > decided_at;
            });
        }
    };

    struct Pod {
        TimePoint asked{};
        Decision decision;
    };

    static bool is_ambiguous(const std::vector<samples::Process>& all, std::size_t first,
                             std::size_t last) {
        for (std::size_t i = first; i < last; ++i)
            if (all[i].status == samples::ProcessStatus::ambiguous)
                return true;
        return false;
    }

    void forget_old(TimePoint now) {
        if (now - swept_ < ask_again_after)
            return;
        swept_ = now;
        std::erase_if(pods_,
                      [&](const auto& pod) { return now - pod.second.asked >= forget_after; });
    }

    mutable std::mutex mutex_;
    TimePoint swept_{};
    std::map<std::pair<ModelKey, std::string>, Pod> pods_;
};

} // namespace wva_metrics::detail
