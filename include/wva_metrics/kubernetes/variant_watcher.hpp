// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/kubernetes/client.hpp"
#include "wva_metrics/kubernetes/detail/variant_set.hpp"
#include "wva_metrics/kubernetes/objects.hpp"
#include "wva_metrics/kubernetes/reflector.hpp"
#include "wva_metrics/kubernetes/variants_change.hpp"
#include "wva_metrics/workload.hpp"

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics::kubernetes {

/// Which variant autoscaling objects are followed, and who is told.
struct VariantsConfig {
    /// Where the API server has them; another group or version where they are installed so.
    Resource<VariantAutoscalingObject> resource{};
    /// The namespace; empty = all namespaces, which needs the right to read them all.
    std::string namespace_name{};
    /// Which objects, e.g. `team=search`; empty = all.
    std::string label_selector{};
    /// Is told of every change, one at a time, on the client's executor and with no lock held;
    /// `snapshot()` shows it already. What it throws is counted in `status()` and harms nobody.
    std::function<void(const VariantsChange&)> on_change{};
    /// Is told what the reflector finds wrong, when it begins; see `ReflectorHandler::on_problem`.
    std::function<void(const Error&)> on_problem{};
};

/// The variants that a cluster's `VariantAutoscaling` objects describe, kept current by list and
/// watch.
///
/// To have a collector fetch what is there and forget what is not:
/// `config.on_change = [&](const VariantsChange& change) { track_change(collector, change); };`
///
/// Of an object: `spec.modelID` and `spec.scaleTargetRef.name` are needed, `.kind` is `Deployment`
/// where it is missing, `spec.variantCost` is 10.0 where it is missing or no number, the
/// accelerator is the label `inference.optimization/acceleratorName`. While the API server fails,
/// what is known stays.
///
/// It needs `get`, `list` and `watch` on the resource. Thread safety: every function may be called
/// from any thread. Lifetime: as its `Client`'s and `Reflector`'s.
class VariantWatcher {
public:
    /// Immutable; sorted by namespace and name.
    using SnapshotPtr = std::shared_ptr<const std::vector<VariantAutoscaling>>;

    /// Asks nothing before `start`.
    explicit VariantWatcher(const Client& client, VariantsConfig config = {})
        : known_(std::make_shared<Known>()),
          reflector_(client, config.resource,
                     Selection{config.namespace_name, config.label_selector},
                     handler(known_, config)) {}

    /// Begins to list and to watch. Does nothing where it runs.
    void start() { reflector_.start(); }
    /// Ends it; what is known stays.
    void stop() { reflector_.stop(); }
    /// How it is doing.
    ReflectorStatus status() const { return reflector_.status(); }

    /// The variants there are now, as far as is known; empty before the first list.
    SnapshotPtr snapshot() const {
        const std::lock_guard lock(known_->mutex);
        return known_->snapshot;
    }

private:
    struct Known {
        /// Changed by the handler alone, which is never called twice at a time.
        detail::VariantSet variants;
        mutable std::mutex mutex;
        SnapshotPtr snapshot = std::make_shared<const std::vector<VariantAutoscaling>>();
    };
    using KnownPtr = std::shared_ptr<Known>;

    static ReflectorHandler<VariantAutoscalingObject> handler(const KnownPtr& known,
                                                              const VariantsConfig& config) {
        const auto take = [known, on_change = config.on_change](const VariantsChange& change) {
            if (change.empty())
                return;
            auto snapshot =
                std::make_shared<const std::vector<VariantAutoscaling>>(known->variants.all());
            {
                const std::lock_guard lock(known->mutex);
                known->snapshot.swap(snapshot);
            }
            if (on_change)
                on_change(change);
        };
        ReflectorHandler<VariantAutoscalingObject> handler;
        handler.on_listed = [known, take](const std::vector<VariantAutoscalingObject>& objects) {
            take(known->variants.set_all(objects));
        };
        handler.on_upserted = [known, take](const VariantAutoscalingObject& object) {
            take(known->variants.set(object));
        };
        handler.on_deleted = [known, take](const VariantAutoscalingObject& object) {
            take(known->variants.erase(object));
        };
        handler.on_problem = config.on_problem;
        return handler;
    }

    const KnownPtr known_;
    Reflector<VariantAutoscalingObject> reflector_;
};

} // namespace wva_metrics::kubernetes
