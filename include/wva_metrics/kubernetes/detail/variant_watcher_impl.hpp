// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/checked_config.hpp"
#include "wva_metrics/kubernetes/client.hpp"
#include "wva_metrics/kubernetes/detail/variant_set.hpp"
#include "wva_metrics/kubernetes/objects.hpp"
#include "wva_metrics/kubernetes/reflector.hpp"
#include "wva_metrics/kubernetes/reflector_handler.hpp"
#include "wva_metrics/kubernetes/reflector_status.hpp"
#include "wva_metrics/kubernetes/resource.hpp"
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
        return state_->snapshot;
    }

private:
    struct State {
        /// Changed by the handler only, whose callbacks never run concurrently.
        VariantSet variants;
        mutable std::mutex mutex;
        SnapshotPtr snapshot = std::make_shared<const std::vector<VariantAutoscaling>>();
    };

    static ReflectorHandler<VariantAutoscalingObject> handler(const std::shared_ptr<State>& state,
                                                              const VariantWatcherConfig& config) {
        const auto publish = [state, on_change = config.on_change](const VariantsChange& change) {
            if (change.empty())
                return;
            auto snapshot =
                std::make_shared<const std::vector<VariantAutoscaling>>(state->variants.all());
            {
                const std::lock_guard lock(state->mutex);
                state->snapshot.swap(snapshot);
            }
            if (on_change)
                on_change(change);
        };
        ReflectorHandler<VariantAutoscalingObject> handler;
        handler.on_listed = [state, publish](const std::vector<VariantAutoscalingObject>& objects) {
            publish(state->variants.set_all(objects));
        };
        handler.on_upserted = [state, publish](const VariantAutoscalingObject& object) {
            publish(state->variants.set(object));
        };
        handler.on_deleted = [state, publish](const VariantAutoscalingObject& object) {
            publish(state->variants.erase(object));
        };
        handler.on_problem = config.on_problem;
        return handler;
    }

    const std::shared_ptr<State> state_;
    Reflector<VariantAutoscalingObject, Executor> reflector_;
};

} // namespace wva_metrics::kubernetes::detail
