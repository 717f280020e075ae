// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/attribution/any_pod_owners.hpp"
#include "wva_metrics/backend/detail/kube_pods.hpp"
#include "wva_metrics/pod_owner.hpp"
#include "wva_metrics/samples/pod_life.hpp"

#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>

namespace wva_metrics::detail {

/// States and owners of the pods of some namespaces: from the configured owners, or else from
/// kube-state-metrics and the pods' own series.
class PodStates {
public:
    /// `owners` take precedence over kube-state-metrics.
    explicit PodStates(AnyPodOwners owners) : owners_(std::move(owners)) {}

    /// Adds a finished answer of kube-state-metrics.
    void merge(KubePods&& pods) {
        if (pods_)
            pods_->merge(std::move(pods));
        else
            pods_ = std::move(pods);
    }

    void add_warning(std::span<const std::string> namespaces, const std::string& warning) {
        for (const std::string& name : namespaces)
            warnings_[name].insert(warning);
    }

    /// Why the facts about a namespace's pods are incomplete, each reason once.
    const std::set<std::string>& warnings(const std::string& namespace_name) const {
        static const std::set<std::string> none;
        const auto found = warnings_.find(namespace_name);
        return found == warnings_.end() ? none : found->second;
    }

    PodState state_of(const std::string& namespace_name, const std::string& pod,
                      samples::PodLife life) const {
        const PodState preferred = owners_.state_of(namespace_name, pod);
        if (preferred != PodState::unknown)
            return preferred;
        using samples::PodLife;
        if (life == PodLife::alive || life == PodLife::part || life == PodLife::ambiguous)
            return PodState::unknown;
        const KubePods::Pod* known = find(namespace_name, pod);
        const bool is_gone = known != nullptr && known->gone;
        const bool exists = known != nullptr && known->exists;
        return is_gone || (life == PodLife::gone && !exists) ? PodState::gone : PodState::unknown;
    }

    std::optional<PodOwner> owner_of(const std::string& namespace_name,
                                     const std::string& pod) const {
        const KubePods::Pod* known = find(namespace_name, pod);
        auto by_series = known == nullptr ? std::nullopt : known->owner;
        if (!owners_)
            return by_series;
        const auto [preferred, is_new] = preferred_owners_.try_emplace({namespace_name, pod});
        if (is_new)
            preferred->second = owners_.find(namespace_name, pod);
        return preferred->second ? preferred->second : by_series;
    }

private:
    const KubePods::Pod* find(const std::string& namespace_name, const std::string& pod) const {
        return pods_ ? pods_->find(namespace_name, pod) : nullptr;
    }

    AnyPodOwners owners_;
    std::optional<KubePods> pods_;
    mutable std::map<std::pair<std::string, std::string>, std::optional<PodOwner>>
        preferred_owners_;
    std::map<std::string, std::set<std::string>> warnings_;
};

} // namespace wva_metrics::detail
