// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/cache/attribution_cache.hpp"
#include "wva_metrics/cache/cache_entry.hpp"
#include "wva_metrics/cache/cache_key.hpp"
#include "wva_metrics/collector/detail/snapshots.hpp"
#include "wva_metrics/collector/detail/target.hpp"
#include "wva_metrics/handle.hpp"
#include "wva_metrics/metrics.hpp"
#include "wva_metrics/workload.hpp"

#include <boost/config.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <utility>

namespace wva_metrics {

/// Reads what a collector knows already: a cached value, a stale one that is being revalidated, or the
/// last good one while the backend fails. A part of `Collector`. No I/O, and no wait: it takes no lock
/// that is held over a scan of what is tracked or cached.
///
/// There are two roads to the same values. By name, a read searches the cache. By handle, it does not,
/// which costs less than half; make a handle for what is read in every pass.
///
/// And there are two forms. `find` hands out a snapshot, which may be kept. `visit` calls a function
/// with the value in place, which counts no reference, and returns whether there was a value. The
/// function may be slow, and may call the collector; what it throws leaves `visit`.
///
/// **Threads:** any thread.
template <typename Impl>
class CachedReads {
public:
    /// A variant's optimizer metrics; empty if nothing is known.
    std::optional<OptimizerSnapshot> find_optimizer_metrics(const VariantKey& key) {
        return find_optimizer(optimizer_key(key));
    }
    /// A model's replicas, attributed to the caller's variants; empty if nothing is known.
    std::optional<ReplicaSnapshot>
    find_replica_metrics(const ModelKey& model, std::span<const VariantAutoscaling> variants) {
        return find_replicas(replica_key(model), variants);
    }
    /// Calls `visitor(const OptimizerView&)` with a variant's optimizer metrics.
    template <typename Visitor>
    bool visit_optimizer_metrics(const VariantKey& key, Visitor&& visitor) {
        return visit_optimizer(optimizer_key(key), visitor);
    }
    /// Calls `visitor(const ReplicaView&)` with a model's replicas, attributed to the caller's
    /// variants.
    template <typename Visitor>
    bool visit_replica_metrics(const ModelKey& model, std::span<const VariantAutoscaling> variants,
                               Visitor&& visitor) {
        return visit_replicas(replica_key(model), variants, visitor);
    }

    /// A handle, for reads without a search. It does not track: `track` and collecting do. Throws
    /// `std::bad_alloc`.
    VariantHandle handle(VariantAutoscaling variant) {
        return VariantHandle(impl_->handle(detail::OptimizerTarget{std::move(variant)}));
    }
    /// The same for a model.
    ModelHandle handle(ModelKey model) {
        return ModelHandle(impl_->handle(detail::ReplicaTarget{std::move(model)}));
    }

    /// As `find_optimizer_metrics`, by handle.
    std::optional<OptimizerSnapshot> find(const VariantHandle& variant) {
        return find_optimizer(variant);
    }
    /// As `find_replica_metrics`, by handle.
    std::optional<ReplicaSnapshot> find(const ModelHandle& model,
                                        std::span<const VariantAutoscaling> variants) {
        return find_replicas(model, variants);
    }
    /// As `visit_optimizer_metrics`, by handle.
    template <typename Visitor>
    bool visit(const VariantHandle& variant, Visitor&& visitor) {
        return visit_optimizer(variant, visitor);
    }
    /// As `visit_replica_metrics`, by handle.
    template <typename Visitor>
    bool visit(const ModelHandle& model, std::span<const VariantAutoscaling> variants,
               Visitor&& visitor) {
        return visit_replicas(model, variants, visitor);
    }

protected:
    /// Made by `Collector`.
    explicit CachedReads(std::shared_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
    /// Null in a collector that was moved from.
    std::shared_ptr<Impl> impl_;

private:
    std::optional<OptimizerSnapshot> find_optimizer(const auto& place) {
        const TimePoint now = impl_->lookup_time();
        auto answer = impl_->reader().find(place, now);
        if (!answer)
            return std::nullopt;
        return detail::optimizer_snapshot(*std::move(answer), impl_->freshness_thresholds(), now);
    }
    std::optional<ReplicaSnapshot> find_replicas(const auto& place,
                                                 std::span<const VariantAutoscaling> variants) {
        const TimePoint now = impl_->lookup_time();
        const auto answer = impl_->reader().find(place, now);
        if (!answer)
            return std::nullopt;
        return detail::replica_snapshot(*answer, variants, impl_->known_workloads(),
                                        impl_->freshness_thresholds(), now, impl_->notifier());
    }
    template <typename Visitor>
    bool visit_optimizer(const auto& place, Visitor& visitor) {
        const TimePoint now = impl_->lookup_time();
        return impl_->reader().visit(place, now, ShowOptimizer<Visitor>{*impl_, now, visitor});
    }
    template <typename Visitor>
    bool visit_replicas(const auto& place, std::span<const VariantAutoscaling> variants,
                        Visitor& visitor) {
        const TimePoint now = impl_->lookup_time();
        const ShowReplicas<Visitor> show{*impl_, now, variants, visitor};
        return impl_->reader().visit(place, now, show);
    }

    /// Calls a visitor with optimizer metrics in place.
    template <typename Visitor>
    struct ShowOptimizer {
        Impl& impl;
        TimePoint now;
        Visitor& visitor;

        BOOST_FORCEINLINE void operator()(const CacheEntry& entry, Source source) const {
            const Freshness freshness =
                detail::optimizer_freshness(entry, impl.freshness_thresholds(), now);
            std::invoke(visitor, OptimizerView(*entry.get<OptimizerMetrics>(), entry.collected_at(),
                                               freshness, source));
        }
    };
    /// Calls a visitor with replicas in place. Those that are attributed already are not counted.
    template <typename Visitor>
    struct ShowReplicas {
        Impl& impl;
        TimePoint now;
        std::span<const VariantAutoscaling> variants;
        Visitor& visitor;

        void operator()(const CacheEntry& entry, Source source) const {
            if (const Attribution* const kept =
                    detail::kept_attribution(entry, variants, impl.known_workloads()))
                return show(entry, source, *kept->replicas, kept->oldest_sample);
            const detail::AttributedReplicas made =
                detail::replicas_of(entry, variants, impl.known_workloads(), now, impl.notifier());
            show(entry, source, *made.replicas, made.oldest_sample);
        }
        void show(const CacheEntry& entry, Source source, const ModelReplicas& replicas,
                  std::optional<TimePoint> oldest_sample) const {
            const Freshness freshness =
                detail::replica_freshness(oldest_sample, impl.freshness_thresholds(), now);
            std::invoke(visitor, ReplicaView(replicas, entry.collected_at(), freshness, source));
        }
    };
};

} // namespace wva_metrics
