// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "running_context.hpp"
#include "wva_metrics/backend/prometheus_backend.hpp"
#include "wva_metrics/cache/memory_cache.hpp"
#include "wva_metrics/collector.hpp"

#include <boost/asio/use_future.hpp>

#include <cstddef>
#include <future>
#include <span>
#include <utility>
#include <vector>

namespace wva_metrics::test_support {

/// Asks the backend every time.
inline CollectorConfig without_cache() {
    CollectorConfig config;
    config.cache.enabled = false;
    config.cache.negative_ttl = Duration::zero();
    return config;
}

/// A collector over Prometheus with a thread of its own, for tests that wait for its answers.
template <CollectorObserver Observer = NullObserver>
class BlockingCollector {
public:
    using Type = Collector<PrometheusBackend, MemoryCache, Observer>;

    explicit BlockingCollector(PrometheusConfig prometheus,
                               CollectorConfig config = without_cache(), Observer observer = {})
        : collector_(context_.context().get_executor(),
                     PrometheusBackend(context_.context().get_executor(), std::move(prometheus)),
                     std::move(config), std::move(observer)) {}

    Type& operator*() noexcept { return collector_; }
    Type* operator->() noexcept { return &collector_; }

    Result<Availability> validate(const ModelKey& model) {
        return collector_.async_validate_availability(model, boost::asio::use_future).get();
    }
    Result<OptimizerSnapshot> collect(const VariantAutoscaling& variant) {
        return collector_.async_collect_optimizer_metrics(variant, boost::asio::use_future).get();
    }
    Result<ReplicaSnapshot> collect(const ModelKey& model,
                                    const std::vector<VariantAutoscaling>& variants) {
        return collector_.async_collect_replica_metrics(model, variants, boost::asio::use_future)
            .get();
    }

    /// All at once, in order.
    std::vector<Result<OptimizerSnapshot>> collect(std::span<const VariantAutoscaling> variants) {
        std::vector<std::future<Result<OptimizerSnapshot>>> pending;
        for (const VariantAutoscaling& variant : variants)
            pending.push_back(
                collector_.async_collect_optimizer_metrics(variant, boost::asio::use_future));
        return get_all(pending);
    }

    /// All at once, in order; each model joined with those of the variants that are its own.
    std::vector<Result<ReplicaSnapshot>> collect(std::span<const ModelKey> models,
                                                 const std::vector<VariantAutoscaling>& variants) {
        std::vector<std::future<Result<ReplicaSnapshot>>> pending;
        for (const ModelKey& model : models) {
            std::vector<VariantAutoscaling> own;
            for (const VariantAutoscaling& variant : variants)
                if (variant.model() == model)
                    own.push_back(variant);
            pending.push_back(collector_.async_collect_replica_metrics(model, std::move(own),
                                                                       boost::asio::use_future));
        }
        return get_all(pending);
    }

private:
    template <typename T>
    static std::vector<T> get_all(std::vector<std::future<T>>& pending) {
        std::vector<T> results;
        results.reserve(pending.size());
        for (std::future<T>& each : pending)
            results.push_back(each.get());
        return results;
    }

    RunningContext context_;
    Type collector_;
};

} // namespace wva_metrics::test_support
