// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/kubernetes/client.hpp"
#include "wva_metrics/kubernetes/detail/pod_index.hpp"
#include "wva_metrics/kubernetes/objects.hpp"
#include "wva_metrics/kubernetes/reflector.hpp"
#include "wva_metrics/pod_owner.hpp"
#include "wva_metrics/pod_owners.hpp"
#include "wva_metrics/reading.hpp"

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics::kubernetes {

/// Which pods `KubernetesPodOwners` knows, and for how long it stands by that.
struct PodOwnersConfig {
    /// The namespaces that are followed; an empty name means all, which needs the right to read
    /// them all. Four resources are followed in each.
    std::vector<std::string> namespaces{""};
    /// Which pods, e.g. `app.kubernetes.io/part-of=llm`; empty = all.
    std::string pod_selector{};
    /// What a pod's state was is not said any more when the API server has not been heard of for
    /// this long. API servers say something about every minute.
    Duration trusted_for = std::chrono::minutes(3);
    /// Is told what a reflector finds wrong, when it begins; see `ReflectorHandler::on_problem`.
    std::function<void(const Error&)> on_problem{};
};

/// Knows whose pod it is from the Kubernetes API: by owner references, then by label selector.
///
/// It follows pods, replica sets, stateful sets and deployments by list and watch, and answers from
/// memory: it never asks for a single pod. Put it into `PrometheusConfig::owners` as a
/// `std::shared_ptr`. Until it has listed everything, and for pods that it does not know,
/// kube-state-metrics and the pods' names decide as they do without it.
///
/// What it needs of the cluster: `get`, `list` and `watch` on `pods`, and on `replicasets`,
/// `statefulsets` and `deployments` of the group `apps`. What it is not allowed to see is told to
/// `on_problem`, and does not spoil the rest.
///
/// Thread safety: every function may be called from any thread. Lifetime: as its `Client`'s and
/// `Reflector`'s; it may be destroyed before or after its execution context.
class KubernetesPodOwners {
public:
    /// Asks nothing before `start`.
    explicit KubernetesPodOwners(const Client& client, PodOwnersConfig config = {})
        : config_(std::move(config)), known_(std::make_shared<Known>()) {
        for (const std::string& scope : config_.namespaces) {
            pods_.push_back(follow<Pod>(client, scope, config_.pod_selector));
            replica_sets_.push_back(follow<ReplicaSet>(client, scope, {}));
            stateful_sets_.push_back(follow<StatefulSet>(client, scope, {}));
            deployments_.push_back(follow<Deployment>(client, scope, {}));
        }
    }

    /// Begins to list and to watch. Does nothing where it runs.
    void start() {
        for_each([](auto& reflector) { reflector.start(); });
    }
    /// Ends it; what is known stays, but `trusted_for` runs.
    void stop() {
        for_each([](auto& reflector) { reflector.stop(); });
    }

    /// Everything has been listed.
    bool is_synced() const {
        bool all = true;
        for_each([&](const auto& reflector) { all = all && reflector.status().synced; });
        return all;
    }

    /// How the reflectors are doing: of pods, replica sets, stateful sets and deployments, each in
    /// the order of the namespaces.
    std::vector<ReflectorStatus> status() const {
        std::vector<ReflectorStatus> all;
        for_each([&](const auto& reflector) { all.push_back(reflector.status()); });
        return all;
    }

    /// The workload whose replica a pod is. Nothing where the pod is not known, or nobody's.
    std::optional<PodOwner> find(std::string_view namespace_name, std::string_view pod) const {
        const std::shared_lock lock(known_->mutex);
        return known_->index.owner_of(namespace_name, pod);
    }

    /// What is known of a pod's life. `gone` where all pods of the namespace are known and it is
    /// none of them; `unknown` where the API server has not been heard of in `trusted_for`.
    PodState state_of(std::string_view namespace_name, std::string_view pod) const {
        const Reflector<Pod>* const reflector = reflector_of(namespace_name);
        if (reflector == nullptr)
            return PodState::unknown;
        const ReflectorStatus status = reflector->status();
        const bool is_heard_of =
            status.last_contact &&
            std::chrono::steady_clock::now() - *status.last_contact <= config_.trusted_for;
        if (!is_heard_of)
            return PodState::unknown;
        {
            const std::shared_lock lock(known_->mutex);
            if (const auto state = known_->index.state_of(namespace_name, pod))
                return *state;
        }
        // A pod that was made while the watch is broken is not known, and no less alive.
        const bool knows_all = status.synced && !status.last_error && config_.pod_selector.empty();
        return knows_all ? PodState::gone : PodState::unknown;
    }

private:
    struct Known {
        mutable std::shared_mutex mutex;
        detail::PodIndex index;
    };

    template <typename T>
    std::unique_ptr<Reflector<T>> follow(const Client& client, const std::string& scope,
                                         const std::string& selector) const {
        ReflectorHandler<T> handler;
        const auto change = [known = known_](auto&& what) {
            const std::unique_lock lock(known->mutex);
            what(known->index);
        };
        handler.on_listed = [change, scope](const std::vector<T>& objects) {
            change([&](detail::PodIndex& index) { index.set_all(scope, objects); });
        };
        handler.on_upserted = [change](const T& object) {
            change([&](detail::PodIndex& index) { index.set(object); });
        };
        handler.on_deleted = [change](const T& object) {
            change([&](detail::PodIndex& index) { index.erase(object); });
        };
        handler.on_problem = config_.on_problem;
        return std::make_unique<Reflector<T>>(client, Selection{scope, selector},
                                              std::move(handler));
    }

    /// Of the pods of this namespace; null where nobody follows them.
    const Reflector<Pod>* reflector_of(std::string_view namespace_name) const {
        for (std::size_t i = 0; i < pods_.size(); ++i)
            if (config_.namespaces[i].empty() || config_.namespaces[i] == namespace_name)
                return pods_[i].get();
        return nullptr;
    }

    template <typename Function>
    void for_each(Function function) const {
        const auto all = [&](const auto& reflectors) {
            for (const auto& reflector : reflectors)
                function(*reflector);
        };
        all(pods_);
        all(replica_sets_);
        all(stateful_sets_);
        all(deployments_);
    }

    const PodOwnersConfig config_;
    const std::shared_ptr<Known> known_;
    std::vector<std::unique_ptr<Reflector<Pod>>> pods_;
    std::vector<std::unique_ptr<Reflector<ReplicaSet>>> replica_sets_;
    std::vector<std::unique_ptr<Reflector<StatefulSet>>> stateful_sets_;
    std::vector<std::unique_ptr<Reflector<Deployment>>> deployments_;
};

static_assert(PodOwners<KubernetesPodOwners> && PodStates<KubernetesPodOwners>);

} // namespace wva_metrics::kubernetes
