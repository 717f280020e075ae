// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/attribution/pod_owners.hpp"
#include "wva_metrics/detail/checked_config.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/kubernetes/client.hpp"
#include "wva_metrics/kubernetes/detail/deleted_pods.hpp"
#include "wva_metrics/kubernetes/detail/pod_index.hpp"
#include "wva_metrics/kubernetes/objects.hpp"
#include "wva_metrics/kubernetes/owner_resolver_config.hpp"
#include "wva_metrics/kubernetes/reflector.hpp"
#include "wva_metrics/kubernetes/reflector_handler.hpp"
#include "wva_metrics/kubernetes/reflector_status.hpp"
#include "wva_metrics/pod_owner.hpp"
#include "wva_metrics/reading.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <algorithm>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics::kubernetes {

/// Finds the owners and states of pods with the Kubernetes API: by owner references, then by label
/// selectors.
///
/// It follows pods, replica sets, stateful sets and deployments by list and watch, and answers from
/// memory: it never requests a single pod. Put it into `PrometheusConfig::owners` as a
/// `std::shared_ptr`. Before the first complete list, and for unknown pods, kube-state-metrics and
/// the pods' names decide, as they do without it.
///
/// Required permissions: `get`, `list` and `watch` on `pods`, and on `replicasets`, `statefulsets`
/// and `deployments` of the group `apps`. A missing permission is reported to `on_problem` and does
/// not affect the other resources.
///
/// **Threads:** safe.
///
/// **Lifetime:** like its `Client` and `Reflector`s, it may be destroyed before or after its
/// execution context.
template <typename Executor = asio::any_io_executor>
class BasicOwnerResolver {
public:
    /// Sends no request before `start`. Throws `ResultError` with `Errc::invalid_config` and all
    /// problems that `validate(config)` finds.
    explicit BasicOwnerResolver(const BasicClient<Executor>& client,
                                OwnerResolverConfig config = {})
        : config_(normalized(wva_metrics::detail::checked(std::move(config), "owner resolver"))),
          impl_(std::make_shared<Impl>(config_)) {
        for (const std::string& scope : config_.namespaces) {
            pods_.push_back(follow<Pod>(client, scope, config_.pod_selector));
            replica_sets_.push_back(follow<ReplicaSet>(client, scope, {}));
            stateful_sets_.push_back(follow<StatefulSet>(client, scope, {}));
            deployments_.push_back(follow<Deployment>(client, scope, {}));
        }
    }

    /// As the constructor, for programs that do not catch exceptions.
    ///
    /// **Parameters:**
    /// - `client`: the client of the API server, which is copied.
    /// - `config`: what to follow, and how long it is trusted.
    ///
    /// **Errors:** `invalid_config`: what the constructor throws.
    ///
    /// **Threads:** any thread.
    static Result<BasicOwnerResolver> make(const BasicClient<Executor>& client,
                                           OwnerResolverConfig config = {}) {
        return wva_metrics::detail::make_result<BasicOwnerResolver>(client, std::move(config));
    }

    /// Starts to list and to watch. Does nothing if it is running.
    void start() {
        for_each([](auto& reflector) { reflector.start(); });
    }
    /// Stops it. The known objects stay, but become stale after `max_staleness`.
    void stop() {
        for_each([](auto& reflector) { reflector.stop(); });
    }

    /// Whether all resources were listed completely.
    bool is_synced() const {
        bool all = true;
        for_each([&](const auto& reflector) { all = all && reflector.status().synced; });
        return all;
    }

    /// The status of each reflector: pods, replica sets, stateful sets and deployments, each in the
    /// order of the namespaces.
    std::vector<ReflectorStatus> status() const {
        std::vector<ReflectorStatus> all;
        for_each([&](const auto& reflector) { all.push_back(reflector.status()); });
        return all;
    }

    /// The scalable workload that owns a pod; empty if the pod or its owner is unknown.
    std::optional<PodOwner> find(std::string_view namespace_name, std::string_view pod) const {
        const std::shared_lock lock(impl_->mutex);
        return impl_->index.owner_of(namespace_name, pod);
    }

    /// The state of a pod; `unknown` if the API server has sent nothing for `max_staleness`.
    ///
    /// `gone` means that the pod was known, and was deleted or missing in a complete list within
    /// `deleted_pod_retention`. A pod never seen is `unknown`: it may be newer than the last event.
    /// While the watch of the namespace is broken or its pods are listed again, deleted pods are
    /// `unknown` too, because a new pod may have the old name.
    PodState state_of(std::string_view namespace_name, std::string_view pod) const {
        const auto* const reflector = find_reflector(namespace_name);
        if (reflector == nullptr)
            return PodState::unknown;
        const ReflectorStatus status = reflector->status();
        const TimePoint now = std::chrono::steady_clock::now();
        const bool is_stale =
            !status.last_contact || now - *status.last_contact > config_.max_staleness;
        if (is_stale)
            return PodState::unknown;
        const bool is_current = status.synced && !status.listing && !status.last_error;
        const std::shared_lock lock(impl_->mutex);
        if (const auto state = impl_->index.state_of(namespace_name, pod))
            return *state;
        return is_current && impl_->index.is_deleted(namespace_name, pod, now) ? PodState::gone
                                                                               : PodState::unknown;
    }

private:
    template <typename T>
    using Reflectors = std::vector<std::unique_ptr<Reflector<T, Executor>>>;

    struct Impl {
        explicit Impl(const OwnerResolverConfig& config)
            : index(detail::DeletedPods(config.deleted_pod_retention, config.pod_selector.empty()
                                                                          ? config.max_deleted_pods
                                                                          : 0)) {}

        mutable std::shared_mutex mutex;
        detail::PodIndex index;
    };

    /// Removes duplicate namespaces. Two reflectors of the same pods would contradict each other
    /// while one of them is behind.
    static OwnerResolverConfig normalized(OwnerResolverConfig config) {
        std::vector<std::string> unique;
        for (std::string& name : config.namespaces) {
            if (name.empty()) {
                unique.assign(1, name);
                break;
            }
            if (std::ranges::find(unique, name) == unique.end())
                unique.push_back(std::move(name));
        }
        config.namespaces = std::move(unique);
        return config;
    }

    template <typename T>
    std::unique_ptr<Reflector<T, Executor>> follow(const BasicClient<Executor>& client,
                                                   const std::string& scope,
                                                   const std::string& selector) const {
        ReflectorHandler<T> handler;
        const auto update = [impl = impl_](auto&& change) {
            const std::unique_lock lock(impl->mutex);
            change(impl->index);
        };
        if constexpr (std::same_as<T, Pod>) {
            const auto now = [] { return std::chrono::steady_clock::now(); };
            // `on_unreadable` is called right before `on_listed`, by the same thread.
            const auto unreadable = std::make_shared<std::size_t>(0);
            handler.on_unreadable = [unreadable](std::size_t objects) { *unreadable = objects; };
            handler.on_listed = [update, scope, unreadable, now](const std::vector<T>& objects) {
                const bool is_complete = std::exchange(*unreadable, 0) == 0;
                update([&](detail::PodIndex& index) {
                    index.set_all(scope, objects, is_complete, now());
                });
            };
            handler.on_deleted = [update, now](const T& object) {
                update([&](detail::PodIndex& index) { index.erase(object, now()); });
            };
        } else {
            handler.on_listed = [update, scope](const std::vector<T>& objects) {
                update([&](detail::PodIndex& index) { index.set_all(scope, objects); });
            };
            handler.on_deleted = [update](const T& object) {
                update([&](detail::PodIndex& index) { index.erase(object); });
            };
        }
        handler.on_upserted = [update](const T& object) {
            update([&](detail::PodIndex& index) { index.set(object); });
        };
        handler.on_problem = config_.on_problem;
        return std::make_unique<Reflector<T, Executor>>(client, Selection{scope, selector},
                                                        std::move(handler));
    }

    /// The reflector of the pods in this namespace; null if it is not followed.
    const Reflector<Pod, Executor>* find_reflector(std::string_view namespace_name) const {
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

    const OwnerResolverConfig config_;
    const std::shared_ptr<Impl> impl_;
    Reflectors<Pod> pods_;
    Reflectors<ReplicaSet> replica_sets_;
    Reflectors<StatefulSet> stateful_sets_;
    Reflectors<Deployment> deployments_;
};

/// The resolver on any executor.
using OwnerResolver = BasicOwnerResolver<>;

static_assert(PodOwners<OwnerResolver> && PodStates<OwnerResolver>);

} // namespace wva_metrics::kubernetes
