// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/checked_config.hpp"
#include "wva_metrics/kubernetes/client.hpp"
#include "wva_metrics/kubernetes/detail/unreadable_names.hpp"
#include "wva_metrics/kubernetes/detail/variant_set.hpp"
#include "wva_metrics/kubernetes/objects.hpp"
#include "wva_metrics/kubernetes/reflector.hpp"
#include "wva_metrics/kubernetes/reflector_handler.hpp"
#include "wva_metrics/kubernetes/reflector_status.hpp"
#include "wva_metrics/kubernetes/resource.hpp"
#include "wva_metrics/kubernetes/unreadable_object.hpp"
#include "wva_metrics/kubernetes/variant_watcher_config.hpp"
#include "wva_metrics/kubernetes/variants_change.hpp"
#include "wva_metrics/workload.hpp"

#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace wva_metrics::kubernetes::detail {

/// Follows the variants and keeps their last snapshot. See `VariantWatcher`.
template <typename Executor>
class VariantWatcherImpl {
public:
    using SnapshotPtr = std::shared_ptr<const std::vector<VariantAutoscaling>>;

    VariantWatcherImpl(const BasicClient<Executor>& client, const VariantWatcherConfig& config)
        : state_(std::make_shared<State>()),
          reflector_(client, wva_metrics::detail::checked(config, "variant watcher").resource,
                     Selection{config.namespace_name, config.label_selector},
                     handler(state_, config)) {}

    void start() { reflector_.start(); }
    void stop() { reflector_.stop(); }
    ReflectorStatus status() const { return reflector_.status(); }

    SnapshotPtr snapshot() const {
        const std::lock_guard lock(state_->mutex);
        SnapshotPtr& snapshot = state_->snapshot;
        if (!snapshot)
            snapshot =
                std::make_shared<const std::vector<VariantAutoscaling>>(state_->variants.all());
        return snapshot;
    }

private:
    struct State {
        std::mutex mutex;
        VariantSet variants;
        /// Made when it is asked for, so that a change costs no copy of all variants. Null after a
        /// change.
        SnapshotPtr snapshot;
    };

    static ReflectorHandler<VariantAutoscalingObject> handler(const std::shared_ptr<State>& state,
                                                              const VariantWatcherConfig& config) {
        // `apply` changes the set, and returns what has changed.
        const auto update = [state, on_change = config.on_change](const auto& apply) {
            VariantsChange change;
            SnapshotPtr outdated; // Freed without the lock.
            {
                const std::lock_guard lock(state->mutex);
                change = apply(state->variants);
                if (change.empty())
                    return;
                outdated.swap(state->snapshot);
            }
            if (on_change)
                on_change(change);
        };
        using Object = VariantAutoscalingObject;
        ReflectorHandler<Object> handler;
        // `on_unreadable` is called right before `on_listed`, by the same thread.
        const auto unreadable = std::make_shared<UnreadableNames>();
        handler.on_unreadable = [unreadable](const UnreadableObjects& objects) {
            *unreadable = UnreadableNames(objects);
        };
        handler.on_listed = [update, unreadable](const std::vector<Object>& objects) {
            const UnreadableNames names = std::exchange(*unreadable, {});
            update([&](VariantSet& variants) { return variants.set_all(objects, names); });
        };
        handler.on_upserted = [update](const Object& object) {
            update([&](VariantSet& variants) { return variants.set(object); });
        };
        handler.on_unreadable_change = [update](const UnreadableObject& object) {
            update([&](VariantSet& variants) { return variants.keep(object); });
        };
        handler.on_deleted = [update](const Object& object) {
            update([&](VariantSet& variants) { return variants.erase(object); });
        };
        handler.on_problem = config.on_problem;
        return handler;
    }

    const std::shared_ptr<State> state_;
    Reflector<VariantAutoscalingObject, Executor> reflector_;
};

} // namespace wva_metrics::kubernetes::detail
