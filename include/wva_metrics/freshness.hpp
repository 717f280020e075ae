// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/saturating_add.hpp"
#include "wva_metrics/reading.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace wva_metrics {

/// How far a snapshot can be trusted, judged by its age.
enum class Freshness : std::uint8_t {
    /// Young enough to act on.
    fresh,
    /// Older than wanted, but not too old to use.
    stale,
    /// Too old to use, or no value at all.
    unavailable,
};

/// The enumerator's name.
constexpr std::string_view to_string(Freshness freshness) noexcept {
    switch (freshness) {
    case Freshness::fresh:
        return "fresh";
    case Freshness::stale:
        return "stale";
    case Freshness::unavailable:
        return "unavailable";
    }
    return "unknown";
}

/// Ages of samples (not of fetches) beyond which a snapshot is no longer fresh, and no longer
/// usable.
struct FreshnessThresholds {
    /// Optimizer metrics are fresh below this age.
    Duration optimizer_metrics = std::chrono::seconds(30);
    /// Replica metrics are fresh below this age.
    Duration replica_metrics = std::chrono::seconds(30);
    /// All metrics are unavailable from this age on. The default equals Prometheus' look-back of
    /// 5 min.
    Duration unavailable = std::chrono::minutes(5);
};

/// `age < fresh_below` is fresh, `age < unavailable_from` is stale, anything older is unavailable.
constexpr Freshness classify_age(Duration age, Duration fresh_below,
                                 Duration unavailable_from) noexcept {
    if (age < fresh_below)
        return Freshness::fresh;
    return age < unavailable_from ? Freshness::stale : Freshness::unavailable;
}

/// A snapshot is as fresh as its oldest sample, and unavailable if it has none.
constexpr Freshness freshness_of(std::optional<TimePoint> oldest_sample, TimePoint now,
                                 Duration fresh_below,
                                 const FreshnessThresholds& thresholds) noexcept {
    return oldest_sample ? classify_age(detail::saturating_age(*oldest_sample, now), fresh_below,
                                        thresholds.unavailable)
                         : Freshness::unavailable;
}

} // namespace wva_metrics
