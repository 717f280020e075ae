// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/kubernetes/detail/deleted_pods.hpp"
#include "wva_metrics/kubernetes/detail/object_index.hpp"
#include "wva_metrics/kubernetes/detail/unreadable_names.hpp"
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

/// A kind that owns pods, or owns their owners.
template <typename T>
concept Workload =
    std::same_as<T, ReplicaSet> || std::same_as<T, StatefulSet> || std::same_as<T, Deployment>;

/// Finds the owners and states of pods from the objects of a cluster.
///
/// Owners are followed by uid, so that a new object is never mistaken for an old one with the same
/// name. A look-up follows a few references and reads no other pods. Only a pod without a manager
/// is compared with the selectors in its namespace. Does no I/O; not thread-safe.
class PodIndex {
public:
    explicit PodIndex(DeletedPods deleted) : deleted_(std::move(deleted)) {}

    /// Replaces all pods in one namespace, or (empty) in all. Known pods that could not be read keep
    /// their owners, but their states are unknown. Known pods that are missing count as deleted, if
    /// it is sure that they are not among the unreadable ones.
    void set_all(std::string_view scope, const std::vector<Pod>& pods,
                 const UnreadableNames& unreadable, TimePoint now) {
        ObjectIndex<PodFacts>::Objects known = pods_.take(scope);
        for (const Pod& pod : pods)
            set(pod);
        for (auto& [namespace_name, inside] : known) {
            for (auto& [name, facts] : inside) {
                if (pods_.find(namespace_name, name) != nullptr)
                    continue;
                if (unreadable.contains(namespace_name, name))
                    pods_.put_back(namespace_name, name, std::move(facts));
                else if (!unreadable.may_contain(namespace_name, name))
                    deleted_.add(namespace_name, name, now);
            }
        }
        for (const auto& [namespace_name, name] : unreadable)
            set_unknown(namespace_name, name);
    }
    /// A pod that exists, but could not be read.
    void set_unknown(std::string_view namespace_name, std::string_view name) {
        deleted_.erase(namespace_name, name);
        if (PodFacts* const facts = pods_.find(namespace_name, name))
            facts->state = PodState::unknown;
    }
    /// Adds or changes a pod.
    void set(const Pod& pod) {
        const Metadata& metadata = pod.metadata;
        deleted_.erase(metadata.namespace_name, metadata.name);
        PodFacts& facts = pods_.put(metadata);
        facts.controller = controller_of(metadata);
        facts.labels = facts.controller ? Labels{} : metadata.labels;
        facts.state = metadata.being_deleted ? PodState::terminating
                      : pod.ready            ? PodState::ready
                                             : PodState::not_ready;
    }
    /// Removes a deleted pod, but not a later one with the same name.
    void erase(const Pod& pod, TimePoint now) {
        if (pods_.erase(pod.metadata))
            deleted_.add(pod.metadata.namespace_name, pod.metadata.name, now);
    }

    /// Replaces all workloads of one kind in one namespace, or (empty) in all. Known ones that could
    /// not be read stay as they are.
    template <Workload T>
    void set_all(std::string_view scope, const std::vector<T>& workloads,
                 const UnreadableNames& unreadable) {
        ObjectIndex<WorkloadFacts>& index = workloads_[kind_of<T>()];
        ObjectIndex<WorkloadFacts>::Objects known = index.take(scope);
        for (const T& workload : workloads)
            set(workload);
        for (auto& [namespace_name, inside] : known)
            for (auto& [name, facts] : inside)
                if (unreadable.contains(namespace_name, name) &&
                    index.find(namespace_name, name) == nullptr)
                    index.put_back(namespace_name, name, std::move(facts));
    }
    /// Adds or changes a workload.
    template <Workload T>
    void set(const T& workload) {
        WorkloadFacts& facts = workloads_[kind_of<T>()].put(workload.metadata);
        facts.controller = controller_of(workload.metadata);
        // The selectors of replica sets are not used: replica sets manage their pods from the
        // start, and their selectors would make those of the deployments ambiguous.
        if constexpr (!std::same_as<T, ReplicaSet>)
            facts.selector = workload.selector;
    }
    /// Removes a deleted workload, but not a later one with the same name.
    template <Workload T>
    void erase(const T& workload) {
        workloads_[kind_of<T>()].erase(workload.metadata);
    }

    /// The scalable workload that owns this pod: the deployment of its replica set, the leader
    /// worker set of its stateful set, or any other manager. Empty if the pod or its owner is
    /// unknown.
    std::optional<PodOwner> owner_of(std::string_view namespace_name, std::string_view pod) const {
        const PodFacts* const facts = pods_.find(namespace_name, pod);
        if (facts == nullptr)
            return std::nullopt;
        if (!facts->controller)
            return owner_by_labels(namespace_name, facts->labels);
        const OwnerReference& last = follow(*facts->controller);
        return PodOwner{last.kind, last.name, OwnerSource::owner_references};
    }

    /// The state of a pod; empty if there is no such pod.
    std::optional<PodState> state_of(std::string_view namespace_name, std::string_view pod) const {
        const PodFacts* const facts = pods_.find(namespace_name, pod);
        if (facts == nullptr)
            return std::nullopt;
        return facts->state;
    }

    /// Whether the pod was known and then deleted, and no pod with its name is known since. A pod
    /// that was never seen is not deleted: it may be newer than the last event.
    bool is_deleted(std::string_view namespace_name, std::string_view pod, TimePoint now) const {
        return deleted_.contains(namespace_name, pod, now);
    }

    /// Number of known pods.
    std::size_t size() const noexcept { return pods_.size(); }

private:
    struct PodFacts {
        std::string uid;
        std::optional<OwnerReference> controller;
        /// Empty if the pod has a controller.
        Labels labels;
        PodState state = PodState::unknown;
    };
    struct WorkloadFacts {
        std::string uid;
        std::optional<OwnerReference> controller;
        std::optional<LabelSelector> selector;
    };

    /// Kubernetes makes no longer chains of owners.
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

    /// From an owner to the scalable workload. Ends at the first unknown owner.
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

    /// The manager that scales the owner; null if the owner itself is the scalable workload.
    const OwnerReference* next_after(const OwnerReference& owner) const {
        // The workers of a group belong to a stateful set that belongs to the group's leader.
        if (owner.kind == "Pod") {
            const PodFacts* const leader = pods_.find_uid(owner.uid);
            return leader == nullptr || !leader->controller ? nullptr : &*leader->controller;
        }
        const auto of_kind = workloads_.find(owner.kind);
        if (of_kind == workloads_.end())
            return nullptr;
        const WorkloadFacts* const workload = of_kind->second.find_uid(owner.uid);
        if (workload == nullptr || !workload->controller)
            return nullptr;
        const OwnerReference& above = *workload->controller;
        if (owner.kind == "ReplicaSet")
            return &above;
        // Other managers of deployments and stateful sets do not scale them.
        const bool is_group = above.kind == "LeaderWorkerSet" || above.kind == "Pod";
        return owner.kind == "StatefulSet" && is_group ? &above : nullptr;
    }

    /// The only workload whose selector matches; empty if there are several.
    std::optional<PodOwner> owner_by_labels(std::string_view namespace_name,
                                            const Labels& labels) const {
        if (const auto set = labels.find(leader_worker_set_label); set != labels.end())
            return PodOwner{"LeaderWorkerSet", set->second, OwnerSource::label_selector};
        std::optional<PodOwner> owner;
        for (const auto& [kind, of_kind] : workloads_) {
            const auto* const inside = of_kind.find_namespace(namespace_name);
            if (inside == nullptr)
                continue;
            for (const auto& [name, workload] : *inside) {
                if (!selects(workload.selector, labels))
                    continue;
                if (owner)
                    return std::nullopt;
                owner = PodOwner{std::string(kind), name, OwnerSource::label_selector};
            }
        }
        return owner;
    }

    /// An empty selector would match every pod in the namespace, so it does not count.
    static bool selects(const std::optional<LabelSelector>& selector, const Labels& labels) {
        return selector &&
               !(selector->match_labels.empty() && selector->match_expressions.empty()) &&
               selector->matches(labels);
    }

    DeletedPods deleted_;
    ObjectIndex<PodFacts> pods_;
    /// By kind.
    std::map<std::string_view, ObjectIndex<WorkloadFacts>, std::less<>> workloads_;
};

} // namespace wva_metrics::kubernetes::detail
