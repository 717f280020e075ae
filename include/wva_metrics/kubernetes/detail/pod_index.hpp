// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/kubernetes/detail/deleted_pods.hpp"
#include "wva_metrics/kubernetes/objects.hpp"
#include "wva_metrics/pod_owner.hpp"
#include "wva_metrics/reading.hpp"

#include <concepts>
#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics::kubernetes::detail {

/// What owns pods, or owns what does.
template <typename T>
concept Workload =
    std::same_as<T, ReplicaSet> || std::same_as<T, StatefulSet> || std::same_as<T, Deployment>;

/// Answers whose pod it is, from what the cluster's objects say of each other.
///
/// Owners are followed by their uids, so that a new object is never taken for an old one of the
/// same name. A look-up walks a few references and looks at no other pod; only a pod that nobody
/// owns is compared with the selectors of its namespace. Pure; not thread-safe.
class PodIndex {
public:
    /// `gone` remembers which pods were known and have ceased to exist.
    explicit PodIndex(GonePods gone) : gone_(std::move(gone)) {}

    /// These are all the pods there are, in one namespace or (empty) in all. Where some were left
    /// out of the list, those that were known and are not in it are forgotten, and not gone.
    void set_all(std::string_view scope, const std::vector<Pod>& pods, bool is_complete,
                 TimePoint now) {
        const Objects<PodFacts> known = take(pods_, scope);
        for (const auto& [namespace_name, inside] : known)
            for (const auto& [name, facts] : inside)
                pods_by_uid_.erase(facts.uid);
        for (const Pod& pod : pods)
            set(pod);
        if (!is_complete)
            return;
        for (const auto& [namespace_name, inside] : known)
            for (const auto& [name, facts] : inside)
                if (find(namespace_name, name) == nullptr)
                    gone_.add(namespace_name, name, now);
    }
    /// A pod is new or has changed.
    void set(const Pod& pod) {
        const Metadata& metadata = pod.metadata;
        gone_.erase(metadata.namespace_name, metadata.name);
        PodFacts& facts = pods_[metadata.namespace_name][metadata.name];
        pods_by_uid_.erase(facts.uid);
        facts.uid = metadata.uid;
        facts.controller = controller_of(metadata);
        facts.labels = facts.controller ? Labels{} : metadata.labels;
        facts.state = metadata.being_deleted ? PodState::terminating
                      : pod.ready            ? PodState::ready
                                             : PodState::not_ready;
        if (!metadata.uid.empty())
            pods_by_uid_.insert_or_assign(metadata.uid, &facts);
    }
    /// This pod has ceased to exist; a new one of its name has not.
    void erase(const Pod& pod, TimePoint now) {
        const auto found = pods_.find(pod.metadata.namespace_name);
        if (found == pods_.end())
            return;
        const auto entry = found->second.find(pod.metadata.name);
        if (entry == found->second.end() || entry->second.uid != pod.metadata.uid)
            return;
        pods_by_uid_.erase(entry->second.uid);
        found->second.erase(entry);
        gone_.add(pod.metadata.namespace_name, pod.metadata.name, now);
    }

    /// These are all the workloads of this kind there are, in one namespace or (empty) in all.
    template <Workload T>
    void set_all(std::string_view scope, const std::vector<T>& workloads) {
        for (const auto& [namespace_name, inside] : take(workloads_[kind_of<T>()], scope))
            for (const auto& [name, facts] : inside)
                workloads_by_uid_.erase(facts.uid);
        for (const T& workload : workloads)
            set(workload);
    }
    /// A workload is new or has changed.
    template <Workload T>
    void set(const T& workload) {
        const Metadata& metadata = workload.metadata;
        WorkloadFacts& facts = workloads_[kind_of<T>()][metadata.namespace_name][metadata.name];
        workloads_by_uid_.erase(facts.uid);
        facts = {kind_of<T>(), metadata.name, metadata.uid, controller_of(metadata), {}};
        // Replica sets own their pods before anybody can look; their selectors would only make the
        // deployments' ambiguous.
        if constexpr (!std::same_as<T, ReplicaSet>)
            facts.selector = workload.selector;
        if (!metadata.uid.empty())
            workloads_by_uid_.insert_or_assign(metadata.uid, &facts);
    }
    /// This workload has ceased to exist; a new one of its name has not.
    template <Workload T>
    void erase(const T& workload) {
        auto& of_kind = workloads_[kind_of<T>()];
        const auto found = of_kind.find(workload.metadata.namespace_name);
        if (found == of_kind.end())
            return;
        const auto entry = found->second.find(workload.metadata.name);
        if (entry == found->second.end() || entry->second.uid != workload.metadata.uid)
            return;
        workloads_by_uid_.erase(entry->second.uid);
        found->second.erase(entry);
    }

    /// The workload that is scaled when this pod's number is to change: the deployment behind its
    /// replica set, the leader worker set behind its stateful set, or whatever else manages it.
    std::optional<PodOwner> owner_of(std::string_view namespace_name, std::string_view pod) const {
        const PodFacts* const facts = find(namespace_name, pod);
        if (facts == nullptr)
            return std::nullopt;
        if (!facts->controller)
            return owner_by_labels(namespace_name, facts->labels);
        const OwnerReference& last = follow(*facts->controller);
        return PodOwner{last.kind, last.name, OwnerSource::owner_references};
    }

    /// What is known of its life; nothing where there is no such pod.
    std::optional<PodState> state_of(std::string_view namespace_name, std::string_view pod) const {
        const PodFacts* const facts = find(namespace_name, pod);
        if (facts == nullptr)
            return std::nullopt;
        return facts->state;
    }

    /// It was known, has ceased to exist, and no pod of its name is known since. A pod that was
    /// never seen is not gone: it may be younger than the last news.
    bool is_gone(std::string_view namespace_name, std::string_view pod, TimePoint now) const {
        return gone_.contains(namespace_name, pod, now);
    }

    /// Pods that are known.
    std::size_t size() const noexcept {
        std::size_t pods = 0;
        for (const auto& [namespace_name, inside] : pods_)
            pods += inside.size();
        return pods;
    }

private:
    struct PodFacts {
        std::string uid;
        std::optional<OwnerReference> controller;
        /// Of a pod that nobody manages.
        Labels labels;
        PodState state = PodState::unknown;
    };
    struct WorkloadFacts {
        std::string_view kind;
        std::string name;
        std::string uid;
        std::optional<OwnerReference> controller;
        std::optional<LabelSelector> selector;
    };
    /// By namespace and name. Maps, whose elements stay where they are.
    template <typename Facts>
    using Objects = std::map<std::string, std::map<std::string, Facts, std::less<>>, std::less<>>;

    /// A chain of owners that is longer is none that Kubernetes makes.
    static constexpr std::size_t max_owners = 8;

    template <typename T>
    static constexpr std::string_view kind_of() {
        if constexpr (std::same_as<T, ReplicaSet>)
            return "ReplicaSet";
        else if constexpr (std::same_as<T, StatefulSet>)
            return "StatefulSet";
        else
            return "Deployment";
    }

    static std::optional<OwnerReference> controller_of(const Metadata& metadata) {
        const OwnerReference* const controller = metadata.controller();
        return controller == nullptr ? std::nullopt : std::optional(*controller);
    }

    /// Takes out what is in one namespace, or (empty) in all.
    template <typename Facts>
    static Objects<Facts> take(Objects<Facts>& objects, std::string_view scope) {
        if (scope.empty())
            return std::exchange(objects, {});
        Objects<Facts> taken;
        if (const auto found = objects.find(scope); found != objects.end())
            taken.insert(objects.extract(found));
        return taken;
    }

    const PodFacts* find(std::string_view namespace_name, std::string_view pod) const {
        const auto found = pods_.find(namespace_name);
        if (found == pods_.end())
            return nullptr;
        const auto entry = found->second.find(pod);
        return entry == found->second.end() ? nullptr : &entry->second;
    }

    /// From a reference to what is scaled. What is not known is the end, too.
    const OwnerReference& follow(const OwnerReference& first) const {
        const OwnerReference* at = &first;
        for (std::size_t i = 0; i < max_owners; ++i) {
            const OwnerReference* const next = next_after(*at);
            if (next == nullptr)
                break;
            at = next;
        }
        return *at;
    }

    /// Who manages the owner for the sake of its replicas; null where it is what is scaled.
    const OwnerReference* next_after(const OwnerReference& owner) const {
        // The workers of a group belong to a stateful set that belongs to the group's leader.
        if (owner.kind == "Pod") {
            const auto leader = pods_by_uid_.find(owner.uid);
            return leader == pods_by_uid_.end() || !leader->second->controller
                       ? nullptr
                       : &*leader->second->controller;
        }
        const auto found = workloads_by_uid_.find(owner.uid);
        if (found == workloads_by_uid_.end() || !found->second->controller)
            return nullptr;
        const OwnerReference& above = *found->second->controller;
        if (owner.kind == "ReplicaSet")
            return &above;
        // Other things that make deployments and stateful sets do not scale them.
        const bool is_group = above.kind == "LeaderWorkerSet" || above.kind == "Pod";
        return owner.kind == "StatefulSet" && is_group ? &above : nullptr;
    }

    /// The one workload whose selector fits; where there are several, none.
    std::optional<PodOwner> owner_by_labels(std::string_view namespace_name,
                                            const Labels& labels) const {
        if (const auto set = labels.find(leader_worker_set_label); set != labels.end())
            return PodOwner{"LeaderWorkerSet", set->second, OwnerSource::label_selector};
        const WorkloadFacts* fitting = nullptr;
        for (const auto& [kind, of_kind] : workloads_) {
            const auto found = of_kind.find(namespace_name);
            if (found == of_kind.end())
                continue;
            for (const auto& [name, workload] : found->second) {
                const bool selects = workload.selector &&
                                     !(workload.selector->match_labels.empty() &&
                                       workload.selector->match_expressions.empty()) &&
                                     workload.selector->matches(labels);
                if (selects && std::exchange(fitting, &workload) != nullptr)
                    return std::nullopt;
            }
        }
        if (fitting == nullptr)
            return std::nullopt;
        return PodOwner{std::string(fitting->kind), fitting->name, OwnerSource::label_selector};
    }

    GonePods gone_;
    Objects<PodFacts> pods_;
    std::map<std::string_view, Objects<WorkloadFacts>> workloads_;
    // By uid, which no two objects ever share; objects without one are not in them.
    std::map<std::string, const PodFacts*, std::less<>> pods_by_uid_;
    std::map<std::string, const WorkloadFacts*, std::less<>> workloads_by_uid_;
};

} // namespace wva_metrics::kubernetes::detail
