// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace wva_metrics {

/// Why a model's metrics can be used, or cannot.
enum class AvailabilityReason : std::uint8_t {
    metrics_found,
    /// The backend has no series for this model in this namespace.
    metrics_missing,
    /// It had, but the last sample is too old.
    metrics_stale,
    /// The backend could not be asked.
    backend_error,
};

/// The reasons as Kubernetes conditions spell them.
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

/// Can a model's metrics be collected, and if not, what should a person look at?
struct Availability {
    /// The metrics exist.
    bool available = false;
    /// Why they can be used, or cannot.
    AvailabilityReason reason = AvailabilityReason::metrics_missing;
    /// One or two sentences for the operator.
    std::string message;

    friend bool operator==(const Availability&, const Availability&) = default;
};

} // namespace wva_metrics
