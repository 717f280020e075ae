// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/reading.hpp"
#include "wva_metrics/samples/sample.hpp"
#include "wva_metrics/workload.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics::detail {

/// A pod that had samples in an earlier round.
struct SeenPod {
    std::string pod{};                 ///< Its name.
    samples::ServerTime last_sample{}; ///< Its newest sample then.

    friend bool operator==(const SeenPod&, const SeenPod&) = default;
};

/// How much `SeenPods` remembers.
struct SeenPodsLimits {
    /// How long after it was last seen a pod is forgotten.
    Duration retention = std::chrono::minutes(10);
    /// Pods of one model. Those that were not seen for the longest time are forgotten.
    std::size_t max_pods = 10'000;
    /// Models. No pods of further models are remembered.
    std::size_t max_models = 100'000;
};

/// The pods of each model that had samples recently. A pod that cannot be read has none after a
/// window, and would vanish from the answers as if it were gone.
///
/// Pure: the time is passed in.
///
/// **Threads:** safe.
class SeenPods {
public:
    explicit SeenPods(const SeenPodsLimits& limits = {}) : limits_(limits) {}

    /// These pods of a model have samples.
    void remember(const ModelKey& model, const std::vector<SeenPod>& pods, TimePoint now) {
        const std::lock_guard lock(mutex_);
        sweep(now);
        if (pods.empty() || (models_.size() >= limits_.max_models && !models_.contains(model)))
            return;
        Pods& known = models_[model];
        for (const SeenPod& pod : pods) {
            Seen& seen = known[pod.pod];
            seen.last_sample = std::max(seen.last_sample, pod.last_sample);
            seen.at = std::max(seen.at, now);
        }
        drop_excess(known);
    }

    /// The pods of a model that are remembered, except these, sorted by name.
    std::vector<SeenPod> others(const ModelKey& model, const std::set<std::string_view>& except,
                                TimePoint now) const {
        const std::lock_guard lock(mutex_);
        std::vector<SeenPod> result;
        if (const auto found = models_.find(model); found != models_.end())
            for (const auto& [pod, seen] : found->second)
                if (!is_over(seen, now) && !except.contains(pod))
                    result.push_back({pod, seen.last_sample});
        return result;
    }

    /// The pod of a model is gone, or no longer serves it.
    void forget(const ModelKey& model, std::string_view pod) {
        const std::lock_guard lock(mutex_);
        const auto found = models_.find(model);
        if (found == models_.end())
            return;
        Pods& known = found->second;
        if (const auto seen = known.find(pod); seen != known.end())
            known.erase(seen);
        if (known.empty())
            models_.erase(found);
    }

private:
    struct Seen {
        samples::ServerTime last_sample{};
        TimePoint at = TimePoint::min();
    };
    using Pods = std::map<std::string, Seen, std::less<>>;

    bool is_over(const Seen& seen, TimePoint now) const {
        return now - seen.at >= limits_.retention;
    }

    /// Forgets what is over, of models that are no longer asked for too. Seldom, because it looks
    /// at all pods.
    void sweep(TimePoint now) {
        if (swept_at_ && now - *swept_at_ < limits_.retention)
            return;
        swept_at_ = now;
        for (auto& [model, pods] : models_)
            std::erase_if(pods, [&](const auto& entry) { return is_over(entry.second, now); });
        std::erase_if(models_, [](const auto& entry) { return entry.second.empty(); });
    }

    void drop_excess(Pods& pods) const {
        if (pods.size() <= limits_.max_pods)
            return;
        std::vector<Pods::iterator> by_age;
        by_age.reserve(pods.size());
        for (auto pod = pods.begin(); pod != pods.end(); ++pod)
            by_age.push_back(pod);
        std::ranges::stable_sort(by_age, {}, [](Pods::iterator pod) { return pod->second.at; });
        by_age.resize(pods.size() - limits_.max_pods);
        for (const Pods::iterator pod : by_age)
            pods.erase(pod);
    }

    const SeenPodsLimits limits_;
    mutable std::mutex mutex_;
    std::map<ModelKey, Pods> models_;
    std::optional<TimePoint> swept_at_;
};

} // namespace wva_metrics::detail
