// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/checked_config.hpp"
#include "wva_metrics/error.hpp"
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

#include <boost/asio/any_io_executor.hpp>

#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace wva_metrics::kubernetes {

/// The variants that a cluster's `VariantAutoscaling` objects describe, kept current by list and
/// watch.
///
/// To let a collector track all current variants:
/// `config.on_change = [&](const VariantsChange& change) { track_change(collector, change); };`
///
/// Fields of an object: `spec.modelID` and `spec.scaleTargetRef.name` are required.
/// `spec.scaleTargetRef.kind` defaults to `Deployment`, and `spec.variantCost` to 10.0, also if it
/// is not a number. The accelerator is the label `inference.optimization/acceleratorName`. While
/// the API server fails, the known variants stay.
///
/// Required permissions: `get`, `list` and `watch` on the resource.
///
/// **Threads:** safe.
///
/// **Lifetime:** like its `Client` and `Reflector`, it may be destroyed before or after its
/// execution context.
template <typename Executor = asio::any_io_executor>
class BasicVariantWatcher {
public:
    /// Immutable; sorted by namespace and name.
    using SnapshotPtr = std::shared_ptr<const std::vector<VariantAutoscaling>>;

    /// Sends no request before `start`. Throws `ResultError` with `Errc::invalid_config` and all
    /// problems that `validate(config)` finds.
    explicit BasicVariantWatcher(const BasicClient<Executor>& client,
                                 const VariantWatcherConfig& config = {})
        : impl_(std::make_shared<Impl>()),
          reflector_(client, wva_metrics::detail::checked(config, "variant watcher").resource,
                     Selection{config.namespace_name, config.label_selector},
                     handler(impl_, config)) {}

    /// As the constructor, for programs that do not catch exceptions. The watcher cannot
    /// be moved out of the result.
    ///
    /// **Parameters:**
    /// - `client`: the client of the API server, which is copied.
    /// - `config`: what to follow, and the callbacks.
    ///
    /// **Errors:** `invalid_config`: what the constructor throws.
    ///
    /// **Threads:** any thread.
    static Result<BasicVariantWatcher> make(const BasicClient<Executor>& client,
                                            const VariantWatcherConfig& config = {}) {
        return wva_metrics::detail::make_result<BasicVariantWatcher>(client, config);
    }

    /// Starts to list and to watch. Does nothing if it is running.
    void start() { reflector_.start(); }
    /// Stops it. The known variants stay.
    void stop() { reflector_.stop(); }
    /// The status of the reflector.
    ReflectorStatus status() const { return reflector_.status(); }

    /// The currently known variants; empty before the first list.
    SnapshotPtr snapshot() const {
        const std::lock_guard lock(impl_->mutex);
        return impl_->snapshot;
    }

private:
    struct Impl {
        /// Changed by the handler only, whose callbacks never run concurrently.
        detail::VariantSet variants;
        mutable std::mutex mutex;
        SnapshotPtr snapshot = std::make_shared<const std::vector<VariantAutoscaling>>();
    };
    using ImplPtr = std::shared_ptr<Impl>;

    static ReflectorHandler<VariantAutoscalingObject> handler(const ImplPtr& impl,
                                                              const VariantWatcherConfig& config) {
        const auto publish = [impl, on_change = config.on_change](const VariantsChange& change) {
            if (change.empty())
                return;
            auto snapshot =
                std::make_shared<const std::vector<VariantAutoscaling>>(impl->variants.all());
            {
                const std::lock_guard lock(impl->mutex);
                impl->snapshot.swap(snapshot);
            }
            if (on_change)
                on_change(change);
        };
        ReflectorHandler<VariantAutoscalingObject> handler;
        handler.on_listed = [impl, publish](const std::vector<VariantAutoscalingObject>& objects) {
            publish(impl->variants.set_all(objects));
        };
        handler.on_upserted = [impl, publish](const VariantAutoscalingObject& object) {
            publish(impl->variants.set(object));
        };
        handler.on_deleted = [impl, publish](const VariantAutoscalingObject& object) {
            publish(impl->variants.erase(object));
        };
        handler.on_problem = config.on_problem;
        return handler;
    }

    const ImplPtr impl_;
    Reflector<VariantAutoscalingObject, Executor> reflector_;
};

/// The watcher on any executor.
using VariantWatcher = BasicVariantWatcher<>;

} // namespace wva_metrics::kubernetes
