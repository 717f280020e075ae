// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/attribution/pod_owners.hpp"
#include "wva_metrics/detail/checked_config.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/kubernetes/client.hpp"
#include "wva_metrics/kubernetes/detail/deleted_pods.hpp"
#include "wva_metrics/kubernetes/detail/pod_index.hpp"
#include "wva_metrics/kubernetes/detail/unreadable_names.hpp"
#include "wva_metrics/kubernetes/objects.hpp"
#include "wva_metrics/kubernetes/owner_resolver_config.hpp"
#include "wva_metrics/kubernetes/reflector.hpp"
#include "wva_metrics/kubernetes/reflector_handler.hpp"
#include "wva_metrics/kubernetes/reflector_status.hpp"
#include "wva_metrics/kubernetes/unreadable_object.hpp"
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

namespace wva_metrics::kubernetes::detail {

/// Follows the pods and their owners, and answers from memory. See `OwnerResolver`.
template <typename Executor>
class OwnerResolverImpl {
public:
    OwnerResolverImpl(const BasicClient<Executor>& client, OwnerResolverConfig config)
        : config_(normalized(wva_metrics::detail::checked(std::move(config), "owner resolver"))),
          known_(std::make_shared<Known>(config_)) {
        for (const std::string& scope : config_.namespaces) {
            pods_.push_back(follow<Pod>(client, scope, config_.pod_selector));
            replica_sets_.push_back(follow<ReplicaSet>(client, scope, {}));
            stateful_sets_.push_back(follow<StatefulSet>(client, scope, {}));
            deployments_.push_back(follow<Deployment>(client, scope, {}));
        }
    }

    void start() {
        for_each([](auto& reflector) { reflector.start(); });
    }
    void stop() {
        for_each([](auto& reflector) { reflector.stop(); });
    }

    bool is_synced() const {
        bool all = true;
        for_each([&](const auto& reflector) { all = all && reflector.status().synced; });
        return all;
    }

    std::vector<ReflectorStatus> status() const {
        std::vector<ReflectorStatus> all;
        for_each([&](const auto& reflector) { all.push_back(reflector.status()); });
        return all;
    }

    std::optional<PodOwner> find(std::string_view namespace_name, std::string_view pod) const {
        const std::shared_lock lock(known_->mutex);
        return known_->index.owner_of(namespace_name, pod);
    }

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
        const std::shared_lock lock(known_->mutex);
        if (const auto state = known_->index.state_of(namespace_name, pod))
            return *state;
        return is_current && known_->index.is_deleted(namespace_name, pod, now) ? PodState::gone
                                                                                : PodState::unknown;
    }

private:
    template <typename T>
    using Reflectors = std::vector<std::unique_ptr<Reflector<T, Executor>>>;

    struct Known {
        explicit Known(const OwnerResolverConfig& config)
            : index(DeletedPods(config.deleted_pod_retention,
                                config.pod_selector.empty() ? config.max_deleted_pods : 0)) {}

        mutable std::shared_mutex mutex;
        PodIndex index;
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
        const auto update = [known = known_](auto&& change) {
            const std::unique_lock lock(known->mutex);
            change(known->index);
        };
        // `on_unreadable` is called right before `on_listed`, by the same thread.
        const auto unreadable = std::make_shared<UnreadableNames>();
        handler.on_unreadable = [unreadable](const UnreadableObjects& objects) {
            *unreadable = UnreadableNames(objects);
        };
        if constexpr (std::same_as<T, Pod>) {
            const auto now = [] { return std::chrono::steady_clock::now(); };
            handler.on_listed = [update, scope, unreadable, now](const std::vector<T>& objects) {
                const UnreadableNames names = std::exchange(*unreadable, {});
                update([&](PodIndex& index) { index.set_all(scope, objects, names, now()); });
            };
            handler.on_unreadable_change = [update](const UnreadableObject& object) {
                update([&](PodIndex& index) {
                    index.set_unknown(object.namespace_name, object.name);
                });
            };
            handler.on_deleted = [update, now](const T& object) {
                update([&](PodIndex& index) { index.erase(object, now()); });
            };
        } else {
            handler.on_listed = [update, scope, unreadable](const std::vector<T>& objects) {
                const UnreadableNames names = std::exchange(*unreadable, {});
                update([&](PodIndex& index) { index.set_all(scope, objects, names); });
            };
            handler.on_deleted = [update](const T& object) {
                update([&](PodIndex& index) { index.erase(object); });
            };
        }
        handler.on_upserted = [update](const T& object) {
            update([&](PodIndex& index) { index.set(object); });
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
    const std::shared_ptr<Known> known_;
    Reflectors<Pod> pods_;
    Reflectors<ReplicaSet> replica_sets_;
    Reflectors<StatefulSet> stateful_sets_;
    Reflectors<Deployment> deployments_;
};

} // namespace wva_metrics::kubernetes::detail
