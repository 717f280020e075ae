// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/attribution/same_workload.hpp"
#include "wva_metrics/reading.hpp"
#include "wva_metrics/workload.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

namespace wva_metrics {

/// How much `KnownWorkloads` remembers.
struct KnownWorkloadsLimits {
    /// How long after it was last seen a workload is forgotten. Longer than the time between two
    /// background rounds, in which every tracked variant is seen.
    Duration retention = std::chrono::minutes(10);
    /// Workloads of one model; further ones are not remembered.
    std::size_t max_workloads = 256;
    /// Models; no workloads of further ones are remembered.
    std::size_t max_models = 20'000;
};

/// The workloads of each model that somebody asked about, so that a pod's owner does not depend on
/// which variants the caller at hand names: the name of a pod of one workload can fit the name of
/// another one too.
///
/// Pure: the time is passed in.
///
/// **Threads:** safe.
class KnownWorkloads {
public:
    /// Knows nothing at first.
    explicit KnownWorkloads(const KnownWorkloadsLimits& limits = {}) : limits_(limits) {}

    /// Somebody asked about these variants, of any models. Those without a workload are ignored.
    void remember(std::span<const VariantAutoscaling> variants, TimePoint now) {
        const std::lock_guard lock(mutex_);
        sweep(now);
        for (const VariantAutoscaling& variant : variants)
            remember_one(variant, now);
    }

    /// The workload of this variant is not known any more, until somebody asks about it again.
    void forget(const VariantAutoscaling& variant) {
        const std::lock_guard lock(mutex_);
        const auto model = models_.find(variant.model());
        if (model == models_.end())
            return;
        const auto is_same = [&](const Known& known) {
            return is_same_workload(known.workload, variant);
        };
        if (std::erase_if(model->second, is_same) > 0)
            changes_.fetch_add(1, std::memory_order_release);
    }

    /// One variant, without a name, for each known workload of a model that is none of `variants`'
    /// own. For the last argument of `attribute` and of `DeploymentIndex`.
    std::vector<VariantAutoscaling> others(const ModelKey& model,
                                           std::span<const VariantAutoscaling> variants) const {
        std::vector<VariantAutoscaling> found;
        const std::lock_guard lock(mutex_);
        const auto known_of_model = models_.find(model);
        if (known_of_model == models_.end())
            return found;
        for (const Known& known : known_of_model->second) {
            const bool is_own =
                std::ranges::any_of(variants, [&](const VariantAutoscaling& variant) {
                    return variant.namespace_name == model.namespace_name &&
                           variant.model_id == model.model_id &&
                           is_same_workload(variant, known.workload);
                });
            if (!is_own)
                found.push_back(known.workload);
        }
        return found;
    }

    /// Changes whenever a workload becomes known or is forgotten: what was attributed before may be
    /// attributed otherwise now. Reading it takes no lock.
    std::uint64_t changes() const noexcept { return changes_.load(std::memory_order_acquire); }

private:
    struct Known {
        VariantAutoscaling workload;
        TimePoint seen_at;
    };

    void remember_one(const VariantAutoscaling& variant, TimePoint now) {
        if (variant.deployment.empty())
            return;
        const ModelKey model = variant.model();
        if (models_.size() >= limits_.max_models && !models_.contains(model))
            return;
        std::vector<Known>& workloads = models_[model];
        const auto known = std::ranges::find_if(
            workloads, [&](const Known& each) { return is_same_workload(each.workload, variant); });
        if (known != workloads.end()) {
            known->seen_at = std::max(known->seen_at, now);
            return;
        }
        if (workloads.size() >= limits_.max_workloads)
            return;
        workloads.push_back(
            {VariantAutoscaling(variant.namespace_name, {}, variant.model_id, variant.deployment,
                                {}, default_variant_cost, variant.target_kind),
             now});
        changes_.fetch_add(1, std::memory_order_release);
    }

    /// Forgets what was not seen for long, at most a few times per retention.
    void sweep(TimePoint now) {
        if (now < next_sweep_)
            return;
        next_sweep_ = now + limits_.retention / 4;
        std::size_t forgotten = 0;
        for (auto model = models_.begin(); model != models_.end();) {
            forgotten += std::erase_if(model->second, [&](const Known& known) {
                return now - known.seen_at > limits_.retention;
            });
            model = model->second.empty() ? models_.erase(model) : std::next(model);
        }
        if (forgotten > 0)
            changes_.fetch_add(1, std::memory_order_release);
    }

    const KnownWorkloadsLimits limits_;
    mutable std::mutex mutex_;
    std::map<ModelKey, std::vector<Known>> models_;
    TimePoint next_sweep_{};
    std::atomic<std::uint64_t> changes_{0};
};

} // namespace wva_metrics
