// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/reading.hpp"
#include "wva_metrics/source.hpp"

#include <cstdint>
#include <optional>
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
    /// The backend failed: nothing is known about the model now. That is not the same as no series.
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
    /// The metrics exist. With the reason `backend_error`: they did when the backend last answered.
    bool available = false;
    /// Why they can or cannot be used.
    AvailabilityReason reason = AvailabilityReason::metrics_missing;
    /// One or two sentences for the operator.
    std::string message{};
    /// When the newest sample of the model was scraped, as far as the backend says; also if it is
    /// too old, and also of an earlier answer, if the backend has no samples any more.
    std::optional<TimePoint> last_sample_at{};
    /// When the backend was asked for this answer; empty if it never gave one. A collector sets it.
    std::optional<TimePoint> checked_at{};
    /// Where the answer came from. A collector sets it.
    Source source = Source::backend;

    friend bool operator==(const Availability&, const Availability&) = default;
};

} // namespace wva_metrics
