// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/availability.hpp"
#include "wva_metrics/cache/cache_entry.hpp"
#include "wva_metrics/cache/cache_key.hpp"
#include "wva_metrics/cache/cache_stats.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/metrics.hpp"
#include "wva_metrics/pod_owners.hpp"

#include <boost/asio/awaitable.hpp>

#include <concepts>
#include <cstddef>
#include <string_view>
#include <vector>

namespace wva_metrics {

namespace asio = boost::asio;

/// A source of metrics: Prometheus, the pods themselves, whatever a user has.
///
/// Satisfied by a class with these three coroutines. They take batches and give one answer per
/// question, in order; one bad question never spoils the others' answers. Several may run at the
/// same time, on different threads. A collector that is destroyed, or whose call times out, cancels
/// them; an exception counts as `Errc::internal`.
template <typename T>
concept MetricsBackend = requires(T& backend, const ModelKey& model,
                                  const std::vector<VariantAutoscaling>& variants,
                                  const std::vector<ModelKey>& models) {
    { backend.validate(model) } -> std::same_as<asio::awaitable<Result<Availability>>>;
    {
        backend.fetch_optimizer_metrics(variants)
        } -> std::same_as<asio::awaitable<std::vector<Result<OptimizerMetrics>>>>;
    {
        backend.fetch_replica_samples(models)
        } -> std::same_as<asio::awaitable<std::vector<Result<ReplicaSamples>>>>;
};

/// A place to keep answers.
///
/// Satisfied by a class with these functions, all callable from several threads at once. A cache
/// owns no clock, timer or thread: the caller passes `now`. An expired entry
/// (`CacheEntry::is_expired`) counts as absent.
template <typename T>
concept MetricsCache = requires(T& cache, const T& const_cache, const CacheKeyView& key,
                                TimePoint now, CacheEntryPtr entry, std::string_view prefix,
                                void (&reader)(const CacheEntry&)) {
    { cache.visit(key, now, reader) } -> std::same_as<bool>;
    { cache.find(key, now) } -> std::same_as<CacheEntryPtr>;
    cache.insert_or_assign(key, entry);
    { cache.erase(key) } -> std::same_as<bool>;
    { cache.erase_prefix(prefix) } -> std::same_as<std::size_t>;
    { cache.erase_expired(now) } -> std::same_as<std::size_t>;
    cache.clear();
    { const_cache.size() } -> std::same_as<std::size_t>;
    { const_cache.stats() } -> std::same_as<CacheStats>;
};

} // namespace wva_metrics
