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
#include <functional>
#include <iterator>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace wva_metrics {

/// How much `KnownWorkloads` remembers.
struct KnownWorkloadsLimits {
    /// How long after it was last seen a workload is forgotten. Background rounds see every tracked
    /// variant again after a quarter of it, or in the next round if that is later.
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
        const auto model = models_.find(variant);
        if (model == models_.end())
            return;
        if (std::erase_if(model->second, [&](const Known& known) { return known.is_of(variant); }) >
            0)
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
                           variant.model_id == model.model_id && known.is_of(variant);
                });
            if (!is_own)
                found.emplace_back(model.namespace_name, std::string(), model.model_id,
                                   known.deployment, std::string(), default_variant_cost,
                                   known.target_kind);
        }
        return found;
    }

    /// Changes whenever a workload becomes known or is forgotten: what was attributed before may be
    /// attributed otherwise now. Reading it takes no lock.
    std::uint64_t changes() const noexcept { return changes_.load(std::memory_order_acquire); }

private:
    /// A workload of the model under which it is stored.
    struct Known {
        std::string deployment;
        std::string target_kind;
        TimePoint seen_at;

        bool is_of(const VariantAutoscaling& variant) const noexcept {
            return deployment == variant.deployment &&
                   kind_or_default(target_kind) == kind_or_default(variant.target_kind);
        }
    };

    // A variant is searched by its model without a copy of the names: it happens in every round, for
    // every variant.
    struct ModelHash {
        using is_transparent = void;
        std::size_t operator()(const auto& of) const noexcept {
            const std::hash<std::string_view> hash;
            constexpr std::size_t odd =
                0x9e3779b1U; // So that equal names do not cancel each other.
            return hash(of.namespace_name) * odd ^ hash(of.model_id);
        }
    };
    struct IsSameModel {
        using is_transparent = void;
        bool operator()(const auto& a, const auto& b) const noexcept {
            return a.model_id == b.model_id && a.namespace_name == b.namespace_name;
        }
    };

    void remember_one(const VariantAutoscaling& variant, TimePoint now) {
        if (variant.deployment.empty())
            return;
        auto model = models_.find(variant);
        if (model == models_.end()) {
            if (models_.size() >= limits_.max_models)
                return;
            model = models_.try_emplace(variant.model()).first;
        }
        std::vector<Known>& workloads = model->second;
        const auto known =
            std::ranges::find_if(workloads, [&](const Known& each) { return each.is_of(variant); });
        if (known != workloads.end()) {
            known->seen_at = std::max(known->seen_at, now);
            return;
        }
        if (workloads.size() >= limits_.max_workloads)
            return;
        workloads.push_back({variant.deployment, variant.target_kind, now});
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
    std::unordered_map<ModelKey, std::vector<Known>, ModelHash, IsSameModel> models_;
    TimePoint next_sweep_{};
    std::atomic<std::uint64_t> changes_{0};
};

} // namespace wva_metrics
