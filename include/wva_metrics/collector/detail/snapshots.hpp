// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/collector/detail/attribute_cached.hpp"
#include "wva_metrics/collector/detail/flight.hpp"
#include "wva_metrics/format_duration.hpp"
#include "wva_metrics/freshness.hpp"
#include "wva_metrics/observer/events.hpp"

#include <boost/config.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace wva_metrics::detail {

/// The freshness of an entry of `OptimizerMetrics`.
BOOST_FORCEINLINE Freshness optimizer_freshness(const CacheEntry& entry,
                                                const FreshnessThresholds& thresholds,
                                                TimePoint now) {
    return freshness_of(entry.oldest_sample(), now, thresholds.optimizer_metrics, thresholds);
}
/// The snapshot of such an entry.
inline OptimizerSnapshot optimizer_snapshot(Answer answer, const FreshnessThresholds& thresholds,
                                            TimePoint now) {
    const CacheEntry& entry = *answer.entry;
    const Freshness freshness = optimizer_freshness(entry, thresholds, now);
    const auto* metrics = entry.get<OptimizerMetrics>();
    return {std::shared_ptr<const OptimizerMetrics>(std::move(answer.entry), metrics),
            entry.collected_at(), freshness, answer.source};
}

/// An entry of `ReplicaSamples`, attributed to the caller's variants. Reports pods that were left out.
template <typename Notifier>
AttributedReplicas replicas_of(const CacheEntry& entry,
                               std::span<const VariantAutoscaling> variants, KnownWorkloads& known,
                               TimePoint now, Notifier& notifier) {
    AttributedReplicas attributed = attribute_cached(entry, variants, known, now);
    const ModelReplicas& replicas = *attributed.replicas;
    if (attributed.computed && !(replicas.unattributed_pods.empty() && replicas.gone_pods.empty()))
        notifier.notify(events::PodsLeftOut{replicas});
    return attributed;
}
/// The freshness of attributed replicas.
inline Freshness replica_freshness(std::optional<TimePoint> oldest_sample,
                                   const FreshnessThresholds& thresholds, TimePoint now) {
    return freshness_of(oldest_sample, now, thresholds.replica_metrics, thresholds);
}
/// The snapshot of such an entry.
template <typename Notifier>
ReplicaSnapshot replica_snapshot(const Answer& answer, std::span<const VariantAutoscaling> variants,
                                 KnownWorkloads& known, const FreshnessThresholds& thresholds,
                                 TimePoint now, Notifier& notifier) {
    AttributedReplicas attributed = replicas_of(*answer.entry, variants, known, now, notifier);
    const Freshness freshness = replica_freshness(attributed.oldest_sample, thresholds, now);
    return {std::move(attributed.replicas), answer.entry->collected_at(), freshness, answer.source};
}

/// What an entry says of a model's availability and, if the backend fails now, that it does.
inline Availability availability_of(const Answer& answer, TimePoint now) {
    Availability availability = *answer.entry->get<Availability>();
    availability.checked_at = answer.entry->collected_at();
    availability.source = answer.source;
    if (answer.error) {
        availability.reason = AvailabilityReason::backend_error;
        availability.message = answer.error->describe() + "; the last answer, " +
                               format_duration(std::chrono::duration_cast<std::chrono::seconds>(
                                   answer.entry->age(now))) +
                               " ago, was: " + availability.message;
    }
    return availability;
}

///@{
/// Convert an answer into the result of an operation. `collector` is a `CollectorImpl`.
struct ToOptimizerSnapshot {
    template <typename Impl>
    Result<OptimizerSnapshot> operator()(Impl& collector, const Result<Answer>& answer,
                                         TimePoint now) const {
        if (answer.has_error())
            return answer.error();
        return optimizer_snapshot(*answer, collector.freshness_thresholds(), now);
    }
};
struct ToReplicaSnapshot {
    std::vector<VariantAutoscaling> variants;

    template <typename Impl>
    Result<ReplicaSnapshot> operator()(Impl& collector, const Result<Answer>& answer,
                                       TimePoint now) const {
        if (answer.has_error())
            return answer.error();
        return replica_snapshot(*answer, variants, collector.known_workloads(),
                                collector.freshness_thresholds(), now, collector.notifier());
    }
};
/// A failing backend is a reason, not an error, also if an earlier answer is known.
struct ToAvailability {
    template <typename Impl>
    Result<Availability> operator()(Impl& /*collector*/, const Result<Answer>& answer,
                                    TimePoint now) const {
        if (answer.has_value())
            return availability_of(*answer, now);
        if (answer.error().is(Errc::aborted) || answer.error().is(Errc::invalid_argument))
            return answer.error();
        return Availability{false, AvailabilityReason::backend_error, answer.error().describe()};
    }
};
///@}

} // namespace wva_metrics::detail
