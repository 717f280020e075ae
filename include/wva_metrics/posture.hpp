// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/freshness.hpp"
#include "wva_metrics/metrics.hpp"
#include "wva_metrics/reading.hpp"
#include "wva_metrics/signal.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace wva_metrics {

/// What an autoscaler uses for a signal while its source is stale or silent. None of them is zero.
enum class Posture : std::uint8_t {
    /// The last value, as long as it is not `unavailable`. Without one, nothing.
    last_value,
    /// A value that means "full", so that replicas are added rather than removed; the last value, if
    /// that is higher and not `unavailable`.
    saturated,
    /// Nothing, so that the caller decides without the signal, or not at all.
    missing,
};

/// What an assessed value is.
enum class Basis : std::uint8_t {
    /// A fresh measurement.
    measured,
    /// An older measurement, used because of `Posture::last_value`.
    last_value,
    /// Used because of `Posture::saturated`.
    saturated,
    /// There is no value.
    missing,
};

/// The enumerator's name.
constexpr std::string_view to_string(Posture posture) noexcept {
    switch (posture) {
    case Posture::last_value:
        return "last_value";
    case Posture::saturated:
        return "saturated";
    case Posture::missing:
        return "missing";
    }
    return "unknown";
}

/// The enumerator's name.
constexpr std::string_view to_string(Basis basis) noexcept {
    switch (basis) {
    case Basis::measured:
        return "measured";
    case Basis::last_value:
        return "last_value";
    case Basis::saturated:
        return "saturated";
    case Basis::missing:
        return "missing";
    }
    return "unknown";
}

/// The posture for one signal.
struct SignalPosture {
    /// What to use while there is no fresh measurement.
    Posture posture = Posture::last_value;
    /// For `Posture::saturated`, in the signal's unit: 1 for the KV cache, and for a queue the
    /// length from which replicas are added.
    double saturated_value = 1;
};

/// A value to decide on, and what it is.
struct AssessedValue {
    /// Empty if and only if `basis` is `missing`.
    std::optional<double> value{};
    /// What the value is.
    Basis basis = Basis::missing;
    /// The posture that was asked for.
    Posture posture = Posture::missing;
    /// Time since the last sample; empty if there is none.
    std::optional<Duration> age{};
    /// Why there is no measurement; `none` if there is one, fresh or not.
    ReadingReason reason = ReadingReason::not_collected;
    /// The truth is at least this much, and may be more: `Reading::is_lower_bound`. Do not scale down
    /// on it.
    bool is_lower_bound = false;
};

/// A reading under a posture.
///
/// A measurement is fresh if its last sample is younger than `fresh_below`, and is not used at all if
/// that is at least `unavailable_from` old. Use the thresholds of the collector
/// (`FreshnessThresholds`).
///
/// A signal that the server does not provide is never taken for saturated: it would be for ever.
inline AssessedValue assess(const Reading<double>& reading, const SignalPosture& posture,
                            Duration fresh_below, Duration unavailable_from,
                            TimePoint now) noexcept {
    AssessedValue assessed{.posture = posture.posture, .reason = reading.reason()};
    if (reading.last_sample_at())
        assessed.age = reading.latest_age(now);
    const Freshness freshness =
        reading.has_value() ? classify_age(reading.latest_age(now), fresh_below, unavailable_from)
                            : Freshness::unavailable;
    if (freshness == Freshness::fresh ||
        (freshness == Freshness::stale && posture.posture == Posture::last_value)) {
        assessed.value = reading.value();
        assessed.basis = freshness == Freshness::fresh ? Basis::measured : Basis::last_value;
        assessed.is_lower_bound = reading.is_lower_bound();
    } else if (posture.posture == Posture::saturated &&
               reading.reason() != ReadingReason::not_provided) {
        assessed.value = posture.saturated_value;
        if (freshness == Freshness::stale)
            assessed.value = std::max(posture.saturated_value, reading.value());
        assessed.basis = Basis::saturated;
    }
    return assessed;
}

/// One signal of all replicas of a model, under a posture.
struct AssessedReplicas {
    /// By replica, in the order of `ModelReplicas::replicas`.
    std::vector<AssessedValue> values{};
    /// Of the replicas that have a value; the basis is the weakest of theirs, the age the highest, and
    /// it is a lower bound if one of theirs is. Without replicas it is saturated or missing, as the
    /// posture says.
    AssessedValue average{};
    /// As `average`, but the highest value. A lower bound also if a replica has no value.
    AssessedValue highest{};
    /// Replicas by the basis of their value, in the order of the enumeration.
    std::array<std::size_t, 4> counts{};

    /// How many replicas have a value of this basis.
    std::size_t count(Basis basis) const noexcept {
        return counts[static_cast<std::size_t>(basis)];
    }
};

/// Assesses one signal of each replica, e.g. `&ReplicaMetrics::kv_cache_usage`. Thresholds as for a
/// single reading.
inline AssessedReplicas assess(std::span<const ReplicaMetrics> replicas,
                               Reading<double> ReplicaMetrics::*signal,
                               const SignalPosture& posture, Duration fresh_below,
                               Duration unavailable_from, TimePoint now) {
    AssessedReplicas all;
    all.values.reserve(replicas.size());
    for (const ReplicaMetrics& replica : replicas) {
        all.values.push_back(assess(replica.*signal, posture, fresh_below, unavailable_from, now));
        ++all.counts[static_cast<std::size_t>(all.values.back().basis)];
    }
    // Without a value, the total says why the first replica has none.
    AssessedValue total =
        all.values.empty() ? assess(Reading<double>(), posture, fresh_below, unavailable_from, now)
                           : all.values.front();
    AssessedValue highest = total;
    double sum = 0;
    std::size_t known = 0;
    for (const AssessedValue& value : all.values) {
        if (!value.value)
            continue;
        sum += *value.value;
        if (known++ == 0)
            total = highest = value;
        total.basis = std::max(total.basis, value.basis);
        total.age = std::max(total.age, value.age);
        total.is_lower_bound = total.is_lower_bound || value.is_lower_bound;
        highest.value = std::max(highest.value, value.value);
    }
    if (known > 0)
        total.value = sum / static_cast<double>(known);
    highest.basis = total.basis;
    highest.age = total.age;
    highest.is_lower_bound = total.is_lower_bound || (known > 0 && known < all.values.size());
    all.average = total;
    all.highest = highest;
    return all;
}

} // namespace wva_metrics
