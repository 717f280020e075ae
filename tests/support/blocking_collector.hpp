// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/prometheus_backend.hpp"
#include "wva_metrics/cache/memory_cache.hpp"
#include "wva_metrics/collector.hpp"

#include "support/running_context.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>

#include <chrono>
#include <cstddef>
#include <future>
#include <span>
#include <utility>
#include <vector>

namespace wva_metrics::test_support {

/// Timeouts long enough for a busy machine, for tests that are about something else.
inline PrometheusConfig patient(PrometheusConfig config) {
    config.client.http.timeouts.attempt = std::chrono::minutes(2);
    config.batch_timeout = std::chrono::minutes(2);
    return config;
}
inline CollectorConfig patient(CollectorConfig config) {
    config.call_timeout = std::chrono::minutes(2);
    return config;
}

/// Every call reaches the backend.
inline CollectorConfig without_cache() {
    CollectorConfig config;
    config.cache.enabled = false;
    config.cache.negative_ttl = Duration::zero();
    return config;
}

/// A collector over Prometheus with its own thread, for tests that block until the result.
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

    Result<Availability> check_availability(const ModelKey& model) {
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

    /// All in one batch, in order.
    std::vector<Result<OptimizerSnapshot>> collect(std::span<const VariantAutoscaling> variants) {
        return collect_all<OptimizerSnapshot>(variants.size(), [&](std::size_t i) {
            return collector_.async_collect_optimizer_metrics(variants[i], boost::asio::use_future);
        });
    }

    /// All in one batch, in order, each model attributed to its variants.
    std::vector<Result<ReplicaSnapshot>>
    collect(std::span<const ModelKey> models,
            std::span<const std::vector<VariantAutoscaling>> variants) {
        return collect_all<ReplicaSnapshot>(models.size(), [&](std::size_t i) {
            return collector_.async_collect_replica_metrics(models[i], variants[i],
                                                            boost::asio::use_future);
        });
    }

private:
    template <typename Snapshot, typename Begin>
    std::vector<Result<Snapshot>> collect_all(std::size_t count, Begin&& begin) {
        std::vector<std::future<Result<Snapshot>>> pending(count);
        // Started on the context's only thread, so all are queued before the first is sent.
        const auto begin_all = [&] {
            for (std::size_t i = 0; i < count; ++i)
                pending[i] = begin(i);
        };
        boost::asio::post(context_.context(), std::packaged_task<void()>(begin_all)).get();
        std::vector<Result<Snapshot>> results;
        results.reserve(count);
        for (auto& each : pending)
            results.push_back(each.get());
        return results;
    }

    RunningContext context_;
    Type collector_;
};

} // namespace wva_metrics::test_support
