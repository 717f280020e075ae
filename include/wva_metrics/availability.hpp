// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace wva_metrics {

/// Why a model's metrics can or cannot be used.
enum class AvailabilityReason : std::uint8_t {
    /// The backend has recent series for this model in this namespace.
    metrics_found,
    /// The backend has no series for this model in this namespace.
    metrics_missing,
    /// The backend has series, but the last sample is too old.
    metrics_stale,
    /// The query to the backend failed.
    backend_error,
};

/// The reasons in the spelling of Kubernetes conditions.
constexpr std::string_view to_string(AvailabilityReason reason) noexcept {
    switch (reason) {
    case AvailabilityReason::metrics_found:
        return "MetricsFound";
    case AvailabilityReason::metrics_missing:
        return "MetricsMissing";
    case AvailabilityReason::metrics_stale:
        return "MetricsStale";
    case AvailabilityReason::backend_error:
        return "BackendError";
    }
    return "Unknown";
}

/// Whether a model's metrics can be collected, and if not, what an operator should check.
struct Availability {
    /// The metrics exist.
    bool available = false;
    /// Why they can or cannot be used.
    AvailabilityReason reason = AvailabilityReason::metrics_missing;
    /// One or two sentences for the operator.
    std::string message;

    friend bool operator==(const Availability&, const Availability&) = default;
};

} // namespace wva_metrics
