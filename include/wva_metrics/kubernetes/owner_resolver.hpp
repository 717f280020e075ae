// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/attribution/pod_owners.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/kubernetes/client.hpp"
#include "wva_metrics/kubernetes/detail/deleted_pods.hpp"
#include "wva_metrics/kubernetes/detail/pod_index.hpp"
#include "wva_metrics/kubernetes/objects.hpp"
#include "wva_metrics/kubernetes/reflector.hpp"
#include "wva_metrics/kubernetes/reflector_handler.hpp"
#include "wva_metrics/kubernetes/reflector_status.hpp"
#include "wva_metrics/pod_owner.hpp"
#include "wva_metrics/reading.hpp"

#include <algorithm>
#include <chrono>
#include <concepts>
#include <cstddef>
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

/// Which pods `OwnerResolver` knows, and for how long it stands by that.
struct PodOwnersConfig {
    /// The namespaces that are followed; an empty name means all, which needs the right to read
    /// them all, and makes the others superfluous. Four resources are followed in each; see
    /// `ClientConfig::max_watches`.
    std::vector<std::string> namespaces{""};
    /// Which pods, e.g. `app.kubernetes.io/part-of=llm`; empty = all. With one no pod counts as
    /// gone, for one that lives may cease to fit it.
    std::string pod_selector{};
    /// What a pod's state was is not said any more when the API server has not been heard of for
    /// this long. API servers say something about every minute.
    Duration trusted_for = std::chrono::minutes(3);
    /// How long a pod that was known and has ceased to exist is remembered to be gone; 0 = no pod
    /// counts as gone.
    Duration gone_memory = std::chrono::minutes(10);
    /// Such pods that are remembered at a time; the last ones where there are more.
    std::size_t max_gone_pods = 10'000;
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
class OwnerResolver {
public:
    /// Asks nothing before `start`.
    explicit OwnerResolver(const Client& client, PodOwnersConfig config = {})
        : config_(made_plain(std::move(config))), known_(std::make_shared<Known>(config_)) {
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

    /// What is known of a pod's life; `unknown` where the API server has not been heard of in
    /// `trusted_for`.
    ///
    /// `gone` is only a pod that was known, and then was deleted or no longer in a complete list,
    /// in the last `gone_memory`. One that was never seen is unknown, for it may be younger than
    /// the last news. So is any while its namespace's watch is broken or its pods are listed anew,
    /// since another pod may have been made under the old name.
    PodState state_of(std::string_view namespace_name, std::string_view pod) const {
        const Reflector<Pod>* const reflector = reflector_of(namespace_name);
        if (reflector == nullptr)
            return PodState::unknown;
        const ReflectorStatus status = reflector->status();
        const TimePoint now = std::chrono::steady_clock::now();
        const bool is_heard_of =
            status.last_contact && now - *status.last_contact <= config_.trusted_for;
        if (!is_heard_of)
            return PodState::unknown;
        const bool is_current = status.synced && !status.listing && !status.last_error;
        const std::shared_lock lock(known_->mutex);
        if (const auto state = known_->index.state_of(namespace_name, pod))
            return *state;
        return is_current && known_->index.is_gone(namespace_name, pod, now) ? PodState::gone
                                                                             : PodState::unknown;
    }

private:
    struct Known {
        explicit Known(const PodOwnersConfig& config)
            : index(detail::GonePods(config.gone_memory,
                                     config.pod_selector.empty() ? config.max_gone_pods : 0)) {}

        mutable std::shared_mutex mutex;
        detail::PodIndex index;
    };

    /// Each namespace once. Two reflectors of the same pods would contradict each other where one
    /// is behind.
    static PodOwnersConfig made_plain(PodOwnersConfig config) {
        std::vector<std::string> each;
        for (std::string& name : config.namespaces) {
            if (name.empty()) {
                each.assign(1, name);
                break;
            }
            if (std::ranges::find(each, name) == each.end())
                each.push_back(std::move(name));
        }
        config.namespaces = std::move(each);
        return config;
    }

    template <typename T>
    std::unique_ptr<Reflector<T>> follow(const Client& client, const std::string& scope,
                                         const std::string& selector) const {
        ReflectorHandler<T> handler;
        const auto change = [known = known_](auto&& what) {
            const std::unique_lock lock(known->mutex);
            what(known->index);
        };
        if constexpr (std::same_as<T, Pod>) {
            const auto now = [] { return std::chrono::steady_clock::now(); };
            // What a list has left out is said right before it, by the same thread.
            const auto left_out = std::make_shared<std::size_t>(0);
            handler.on_left_out = [left_out](std::size_t objects) { *left_out = objects; };
            handler.on_listed = [change, scope, left_out, now](const std::vector<T>& objects) {
                const bool is_complete = std::exchange(*left_out, 0) == 0;
                change([&](detail::PodIndex& index) {
                    index.set_all(scope, objects, is_complete, now());
                });
            };
            handler.on_deleted = [change, now](const T& object) {
                change([&](detail::PodIndex& index) { index.erase(object, now()); });
            };
        } else {
            handler.on_listed = [change, scope](const std::vector<T>& objects) {
                change([&](detail::PodIndex& index) { index.set_all(scope, objects); });
            };
            handler.on_deleted = [change](const T& object) {
                change([&](detail::PodIndex& index) { index.erase(object); });
            };
        }
        handler.on_upserted = [change](const T& object) {
            change([&](detail::PodIndex& index) { index.set(object); });
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

static_assert(PodOwners<OwnerResolver> && PodStates<OwnerResolver>);

} // namespace wva_metrics::kubernetes
