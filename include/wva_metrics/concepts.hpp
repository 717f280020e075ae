// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/attribution/pod_owners.hpp"
#include "wva_metrics/availability.hpp"
#include "wva_metrics/cache/metrics_cache.hpp"
#include "wva_metrics/collector_stats.hpp"
#include "wva_metrics/config.hpp"
#include "wva_metrics/diagnosis.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/metrics.hpp"
#include "wva_metrics/priority.hpp"
#include "wva_metrics/resilience/protection_listeners.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/deferred.hpp>

#include <concepts>
#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace wva_metrics {

namespace asio = boost::asio;

/// A source of metrics: Prometheus, the pods themselves, or a user's own.
///
/// Satisfied by a class with these three coroutines. Two take batches and return one answer per
/// target, in order; a target is one variant or model of a batch. A failed target does not affect
/// the others. Several coroutines may run at the same time, on different threads. A collector
/// cancels them on a timeout or when it is destroyed; an exception counts as `Errc::internal`.
///
/// - `ReplicaSamples::pods` must be sorted by pod name.
/// - The collector fills in the names and the model of an answer; a backend need not.
/// - An answer with `partial` set is a hit only for `CacheConfig::partial_ttl`, if that is shorter
///   than the TTL. Readings that are missing with `ReadingReason::backend_error` are taken from the
///   entry before, within `stale_if_error`.
template <typename T>
concept MetricsBackend = requires(T& backend, const ModelKey& model,
                                  const std::vector<VariantAutoscaling>& variants,
                                  const std::vector<ModelKey>& models) {
    { backend.check_availability(model) } -> std::same_as<asio::awaitable<Result<Availability>>>;
    {
        backend.fetch_optimizer_metrics(variants)
        } -> std::same_as<asio::awaitable<std::vector<Result<OptimizerMetrics>>>>;
    {
        backend.fetch_replica_samples(models)
        } -> std::same_as<asio::awaitable<std::vector<Result<ReplicaSamples>>>>;
};

/// A backend that may be told whether somebody waits for an answer, as `PrometheusBackend` and
/// `AnyBackend` may: its two functions for batches also take a `Priority`. A collector passes
/// `Priority::background` for a round of its background fetching. A backend that wraps another one
/// should pass it on. A backend without it is asked in the same way for both.
///
/// A caller who joins a fetch of a background round waits as that round does.
template <typename T>
concept PrioritizingBackend = MetricsBackend<T> &&
    requires(T& backend, const std::vector<VariantAutoscaling>& variants,
             const std::vector<ModelKey>& models, Priority priority) {
    {
        backend.fetch_optimizer_metrics(variants, priority)
        } -> std::same_as<asio::awaitable<std::vector<Result<OptimizerMetrics>>>>;
    {
        backend.fetch_replica_samples(models, priority)
        } -> std::same_as<asio::awaitable<std::vector<Result<ReplicaSamples>>>>;
};

/// A backend that protects its servers, and tells what happens to that protection: circuit breakers,
/// pauses, retry budgets, limits. `PrometheusBackend` is one; `AnyBackend` passes a listener on to
/// the backend inside, if that is one, as a backend that wraps another one should. A collector passes
/// the events on to its observer (`events::EndpointEvent`).
///
/// A listener is told of all events from then on, for as long as it exists. Any thread.
template <typename T>
concept ProtectedBackend = MetricsBackend<T> &&
    requires(T& backend, std::weak_ptr<const resilience::ProtectionListener> listener) {
    backend.add_protection_listener(listener);
};

/// A backend that can say why a model has no numbers, as `PrometheusBackend` can. A query that fails
/// is a finding. `AnyBackend` is one, and completes with an error if the backend inside is none.
template <typename T>
concept DiagnosingBackend = MetricsBackend<T> &&
    requires(T& backend, const ModelKey& model, const std::vector<VariantAutoscaling>& variants) {
    { backend.diagnose(model, variants) } -> std::same_as<asio::awaitable<Result<Diagnosis>>>;
};

/// What an autoscaler uses: the operations, look-ups, tracking, background fetching and
/// invalidation of `Collector`.
///
/// Satisfied by `Collector` with any policies and by `AnyCollector`. Use it for functions that take
/// either, and for fakes in tests.
template <typename T>
concept MetricsCollector = requires(T& collector, const T& const_collector, const ModelKey& model,
                                    const VariantAutoscaling& variant, const VariantKey& key,
                                    const std::vector<VariantAutoscaling>& variants,
                                    std::string_view prefix, const CollectorConfig& config) {
    // Deferred, so that checking the concept does not compile the operations.
    collector.async_validate_availability(model, asio::deferred);
    collector.async_collect_optimizer_metrics(variant, asio::deferred);
    collector.async_collect_replica_metrics(model, variants, asio::deferred);
    { collector.find_optimizer_metrics(key) } -> std::same_as<std::optional<OptimizerSnapshot>>;
    {
        collector.find_replica_metrics(model, variants)
        } -> std::same_as<std::optional<ReplicaSnapshot>>;
    { collector.track(variant) } -> std::same_as<bool>;
    { collector.track(model) } -> std::same_as<bool>;
    collector.untrack(key);
    collector.untrack(model);
    { collector.start_background_fetching() } -> std::same_as<bool>;
    collector.stop_background_fetching();
    { collector.invalidate_variant(variant) } -> std::same_as<std::size_t>;
    { collector.invalidate_model(model) } -> std::same_as<std::size_t>;
    { collector.invalidate_prefix(prefix) } -> std::same_as<std::size_t>;
    { collector.reconfigure(config) } -> std::same_as<Result<void>>;
    { const_collector.config() } -> std::same_as<CollectorConfig>;
    { const_collector.stats() } -> std::same_as<CollectorStats>;
    { const_collector.health() } -> std::same_as<CollectorHealth>;
    { const_collector.get_executor() } -> std::convertible_to<asio::any_io_executor>;
};

/// A collector that can say why a model has no numbers: `Collector` with a `DiagnosingBackend`, and
/// `AnyCollector`, which completes with an error if the collector inside cannot.
template <typename T>
concept DiagnosingCollector = MetricsCollector<T> &&
    requires(T& collector, const ModelKey& model, const std::vector<VariantAutoscaling>& variants) {
    // Deferred, so that checking the concept does not compile the operation.
    collector.async_diagnose(model, variants, asio::deferred);
};

} // namespace wva_metrics
