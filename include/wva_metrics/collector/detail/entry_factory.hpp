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

/// Fills in the identity fields, so backends do not have to.
inline void stamp_identity(const Target& target, CachePayload& payload) {
    if (auto* samples = std::get_if<ReplicaSamples>(&payload)) {
        samples->model = std::get<ReplicaTarget>(target).model;
    } else if (auto* metrics = std::get_if<OptimizerMetrics>(&payload)) {
        const VariantAutoscaling& variant = std::get<OptimizerTarget>(target).variant;
        metrics->namespace_name = variant.namespace_name;
        metrics->variant = variant.name;
        metrics->model_id = variant.model_id;
        metrics->deployment = variant.deployment;
        metrics->target_kind = variant.target_kind;
    }
}

/// Oldest sample time at which a previous reading may replace one the backend failed to return. A
/// reading is served as long as an entry is when the backend fails.
inline TimePoint oldest_carried(const CacheConfig& config, TimePoint sent_at) noexcept {
    return config.stale_if_error > Duration::zero()
               ? saturating_add(saturating_add(sent_at, -config.ttl), -config.stale_if_error)
               : TimePoint::max();
}

/// Copies readings that the backend failed to return from the previous entry, except samples older
/// than `oldest`.
inline void carry_over_missing(const CacheEntry& previous, CachePayload& payload,
                               TimePoint oldest) {
    std::visit(
        [&]<typename T>(T& now) {
            if (const T* before = previous.get<T>())
                carry_over(*before, now, oldest);
        },
        payload);
}

/// The backend's warnings; null for an entry that cannot have any.
inline const std::vector<std::string>* warnings_of(const CacheEntry& entry) noexcept {
    if (const auto* metrics = entry.get<OptimizerMetrics>())
        return &metrics->warnings;
    if (const auto* samples = entry.get<ReplicaSamples>())
        return &samples->warnings;
    return nullptr;
}

/// How many readings have a sample newer than `now`, so that a clock must be wrong.
inline std::uint64_t count_ahead(const CachePayload& payload, TimePoint now) noexcept {
    std::uint64_t ahead = 0;
    const auto look_at = [&](const Reading<double>& reading) {
        if (reading.has_value() && reading.latest_at() > now)
            ++ahead;
    };
    const auto look_at_all = [&](const auto& measured, const auto& fields) {
        for (const auto& field : fields)
            look_at(measured.*field.member);
        for (const OptionalReadings::Entry& entry : measured.optional.entries())
            look_at(entry.reading);
    };
    if (const auto* metrics = std::get_if<OptimizerMetrics>(&payload))
        look_at_all(*metrics, optimizer_readings);
    if (const auto* samples = std::get_if<ReplicaSamples>(&payload))
        for (const ReplicaSample& pod : samples->pods)
            look_at_all(pod, replica_readings<ReplicaSample>);
    return ahead;
}

/// Whether the backend answered that it has nothing of the target. An answer that lacks a part is not
/// empty: the rest may be there.
inline bool is_empty_answer(const CachePayload& payload) noexcept {
    if (const auto* availability = std::get_if<Availability>(&payload))
        return availability->reason == AvailabilityReason::metrics_missing;
    if (const auto* samples = std::get_if<ReplicaSamples>(&payload))
        return samples->pods.empty() && !samples->partial;
    const auto* metrics = std::get_if<OptimizerMetrics>(&payload);
    return std::all_of(optimizer_readings.begin(), optimizer_readings.end(),
                       [&](const ReadingField<OptimizerMetrics>& field) {
                           const ReadingReason reason = (metrics->*field.member).reason();
                           return reason == ReadingReason::no_series ||
                                  reason == ReadingReason::not_provided;
                       });
}

/// How long an answer is a hit: the TTL, but less if it is partial or says that nothing is there.
inline Duration ttl_of(const CacheConfig& config, const CachePayload& payload) noexcept {
    if (const auto* availability = std::get_if<Availability>(&payload))
        return availability->available ? config.ttl : std::min(config.ttl, config.negative_ttl);
    const auto* metrics = std::get_if<OptimizerMetrics>(&payload);
    const bool is_partial =
        metrics != nullptr ? metrics->partial : std::get_if<ReplicaSamples>(&payload)->partial;
    return is_partial ? std::min(config.ttl, config.partial_ttl) : config.ttl;
}

/// Ages count from the request, because the backend's data may be that old. An entry is kept for
/// the longer of the two windows in which it may be served after its TTL.
inline CacheEntryPtr make_entry(const CacheConfig& config, CachePayload&& payload,
                                TimePoint sent_at, std::shared_ptr<AttributionBudget> budget = {}) {
    const TimePoint fresh_until = saturating_add(sent_at, ttl_of(config, payload));
    const Duration longer_window = std::max(config.stale_while_revalidate, config.stale_if_error);
    return std::make_shared<const CacheEntry>(std::move(payload), sent_at, fresh_until,
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
