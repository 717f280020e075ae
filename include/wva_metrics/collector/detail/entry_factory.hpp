// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/collector/detail/carry_over.hpp"
#include "wva_metrics/collector/detail/target.hpp"
#include "wva_metrics/config.hpp"
#include "wva_metrics/detail/saturating_add.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace wva_metrics::detail {

///@{
/// Fills in the identity fields, so backends do not have to.
inline void stamp_identity(const Target& target, OptimizerMetrics& metrics) {
    const VariantAutoscaling& variant = std::get<OptimizerTarget>(target).variant;
    metrics.namespace_name = variant.namespace_name;
    metrics.variant = variant.name;
    metrics.model_id = variant.model_id;
    metrics.deployment = variant.deployment;
    metrics.target_kind = variant.target_kind;
}
inline void stamp_identity(const Target& target, ReplicaSamples& samples) {
    samples.model = std::get<ReplicaTarget>(target).model;
}
inline void stamp_identity(const Target& /*target*/, Availability& /*availability*/) noexcept {}
///@}

/// Oldest sample time at which a previous reading may replace one the backend failed to return. A
/// reading is served as long as an entry is when the backend fails.
inline TimePoint oldest_carried(const CacheConfig& config, TimePoint sent_at) noexcept {
    return config.stale_if_error > Duration::zero()
               ? saturating_add(saturating_add(sent_at, -config.ttl), -config.stale_if_error)
               : TimePoint::max();
}

/// Copies readings that the backend failed to return from the previous entry, except samples older
/// than `oldest`.
template <typename T>
void carry_over_missing(const CacheEntry& previous, T& now, TimePoint oldest) {
    if (const T* before = previous.get<T>())
        carry_over(*before, now, oldest);
}

/// The backend's warnings; null for an entry that cannot have any.
inline const std::vector<std::string>* warnings_of(const CacheEntry& entry) noexcept {
    if (const auto* metrics = entry.get<OptimizerMetrics>())
        return &metrics->warnings;
    if (const auto* samples = entry.get<ReplicaSamples>())
        return &samples->warnings;
    return nullptr;
}

template <typename Measured, typename Fields>
std::uint64_t count_ahead(const Measured& measured, const Fields& fields, TimePoint now) noexcept {
    std::uint64_t ahead = 0;
    const auto look_at = [&](const Reading<double>& reading) {
        if (reading.has_value() && reading.latest_at() > now)
            ++ahead;
    };
    for (const auto& field : fields)
        look_at(measured.*field.member);
    for (const OptionalReadings::Entry& entry : measured.optional.entries())
        look_at(entry.reading);
    return ahead;
}
///@{
/// How many readings have a sample newer than `now`, so that a clock must be wrong.
inline std::uint64_t count_ahead(const OptimizerMetrics& metrics, TimePoint now) noexcept {
    return count_ahead(metrics, optimizer_readings, now);
}
inline std::uint64_t count_ahead(const ReplicaSamples& samples, TimePoint now) noexcept {
    std::uint64_t ahead = 0;
    for (const ReplicaSample& pod : samples.pods)
        ahead += count_ahead(pod, replica_readings<ReplicaSample>, now);
    return ahead;
}
inline std::uint64_t count_ahead(const Availability& /*availability*/, TimePoint) noexcept {
    return 0;
}
///@}

///@{
/// Whether the backend answered that it has nothing of the target. An answer that lacks a part is not
/// empty: the rest may be there.
inline bool is_empty_answer(const OptimizerMetrics& metrics) noexcept {
    return std::all_of(optimizer_readings.begin(), optimizer_readings.end(),
                       [&](const ReadingField<OptimizerMetrics>& field) {
                           const ReadingReason reason = (metrics.*field.member).reason();
                           return reason == ReadingReason::no_series ||
                                  reason == ReadingReason::not_provided;
                       });
}
inline bool is_empty_answer(const ReplicaSamples& samples) noexcept {
    return samples.pods.empty() && !samples.partial;
}
inline bool is_empty_answer(const Availability& availability) noexcept {
    return availability.reason == AvailabilityReason::metrics_missing;
}
///@}

///@{
/// How long an answer is a hit: the TTL, but less if it is partial or says that nothing is there.
template <typename Metrics>
Duration ttl_of(const CacheConfig& config, const Metrics& metrics) noexcept {
    return metrics.partial ? std::min(config.ttl, config.partial_ttl) : config.ttl;
}
inline Duration ttl_of(const CacheConfig& config, const Availability& availability) noexcept {
    return availability.available ? config.ttl : std::min(config.ttl, config.negative_ttl);
}
///@}

/// Ages count from the request, because the backend's data may be that old. An entry is kept for
/// the longer of the two windows in which it may be served after its TTL.
template <typename T>
CacheEntryPtr make_entry(const CacheConfig& config, T&& answer, TimePoint sent_at,
                         std::shared_ptr<AttributionBudget> budget = {}) {
    const TimePoint fresh_until = saturating_add(sent_at, ttl_of(config, answer));
    const Duration longer_window = std::max(config.stale_while_revalidate, config.stale_if_error);
    return std::make_shared<const CacheEntry>(std::forward<T>(answer), sent_at, fresh_until,
                                              saturating_add(fresh_until, longer_window),
                                              std::move(budget));
}

/// Bounds the attributions of an entry that is made for the cache; null if the cache has no bound for
/// them, or if entries of this kind have none.
template <typename Cache>
std::shared_ptr<AttributionBudget> attribution_budget(Cache& cache, const CacheKeyView& key) {
    if constexpr (requires { cache.attribution_budget(key); })
        if (key.kind == EntryKind::replica)
            return cache.attribution_budget(key);
    return nullptr;
}

} // namespace wva_metrics::detail
