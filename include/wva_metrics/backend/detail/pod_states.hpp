// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/attribution/any_pod_owners.hpp"
#include "wva_metrics/backend/detail/kube_pods.hpp"
#include "wva_metrics/pod_owner.hpp"
#include "wva_metrics/samples/pod_life.hpp"

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace wva_metrics::detail {

/// States and owners of the pods of a batch: from the configured owners, or else from
/// kube-state-metrics and from whether the pods themselves answer.
class PodStates {
public:
    /// Owners that take precedence over kube-state-metrics.
    void set_preferred_owners(AnyPodOwners owners) { owners_ = std::move(owners); }

    /// Adds the finished pods of an answer of kube-state-metrics.
    void add(KubePods pods) {
        if (kube_pods_)
            kube_pods_->merge(std::move(pods));
        else
            kube_pods_ = std::move(pods);
    }

    /// Why it is not known which pods of these namespaces exist.
    void add_warning(std::span<const std::string> namespaces, const std::string& warning) {
        for (const std::string& name : namespaces)
            warnings_[name].insert(warning);
    }

    /// Why the facts about a namespace's pods are incomplete, each reason once.
    const std::set<std::string>& warnings(std::string_view namespace_name) const {
        static const std::set<std::string> none;
        const auto found = warnings_.find(namespace_name);
        return found == warnings_.end() ? none : found->second;
    }

    /// A pod's state. `life`: whether its processes answer. `is_late`: they answered until now, but
    /// not the newest scrape.
    ///
    /// A pod that answers exists, even if kube-state-metrics does not report it: one of several
    /// instances of kube-state-metrics may be restarting, and a pod that is recreated with the same
    /// name is reported late. Of a pod that does not answer, kube-state-metrics knows whether it is
    /// gone. If it does not, a pod is gone when its targets are no longer scraped. A pod that both
    /// its own newest scrape and that of kube-state-metrics lack is gone, because two sources agree.
    ///
    /// The configured owners take precedence even over a pod that answers: they get the state from
    /// the API server without delay, while the series of a deleted pod live until the next scrape.
    PodState state_of(std::string_view namespace_name, std::string_view pod, samples::PodLife life,
                      bool is_late = false) const {
        const PodState preferred = owners_.state_of(namespace_name, pod);
        if (preferred != PodState::unknown)
            return preferred;
        const KubePods::Pod* known = find(namespace_name, pod);
        if (is_gone(known, life, is_late))
            return PodState::gone;
        if (known == nullptr || !known->ready)
            return PodState::unknown;
        return *known->ready ? PodState::ready : PodState::not_ready;
    }

    /// A pod's owner. The same for each signal of a batch, even if the configured owners change
    /// meanwhile.
    std::optional<PodOwner> owner_of(std::string_view namespace_name, std::string_view pod) const {
        if (owners_) {
            const auto [preferred, is_new] =
                preferred_owners_.try_emplace({std::string(namespace_name), std::string(pod)});
            if (is_new)
                preferred->second = owners_.find(namespace_name, pod);
            if (preferred->second)
                return preferred->second;
        }
        const KubePods::Pod* known = find(namespace_name, pod);
        return known == nullptr ? std::nullopt : known->owner;
    }

    /// True if a source knows that the pod receives requests: a pod without series is then one that
    /// cannot be read. Where kube-state-metrics does not report readiness, existing is enough,
    /// although the pod may have been evicted, or may not have started yet.
    bool exists_and_ready(std::string_view namespace_name, std::string_view pod) const {
        const PodState preferred = owners_.state_of(namespace_name, pod);
        if (preferred != PodState::unknown)
            return preferred == PodState::ready;
        const KubePods::Pod* known = find(namespace_name, pod);
        return known != nullptr && known->exists && known->ready.value_or(true);
    }

    /// What kube-state-metrics says of the pods of the batch; null if it was not asked, or did not
    /// answer.
    const KubePods* kube_pods() const noexcept { return kube_pods_ ? &*kube_pods_ : nullptr; }

private:
    static bool is_gone(const KubePods::Pod* known, samples::PodLife life, bool is_late) noexcept {
        switch (life) {
        case samples::PodLife::alive:
        case samples::PodLife::part:
        case samples::PodLife::ambiguous:
            return is_late && known != nullptr && (known->gone || known->is_missed);
        case samples::PodLife::unread:
        case samples::PodLife::ended:
            return known != nullptr && (known->gone || known->is_missed);
        case samples::PodLife::gone:
            return known == nullptr || !known->exists || known->is_missed;
        }
        return false;
    }

    const KubePods::Pod* find(std::string_view namespace_name, std::string_view pod) const {
        return kube_pods_ ? kube_pods_->find(namespace_name, pod) : nullptr;
    }

    AnyPodOwners owners_;
    /// Empty if kube-state-metrics was not asked, or did not answer.
    std::optional<KubePods> kube_pods_;
    /// Answers of `owners_`, by namespace and pod. Mutable without a lock: one thread at a time
    /// works on a batch.
    mutable std::map<std::pair<std::string, std::string>, std::optional<PodOwner>>
        preferred_owners_;
    /// By namespace.
    std::map<std::string, std::set<std::string>, std::less<>> warnings_;
};

} // namespace wva_metrics::detail
