// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/reading.hpp"
#include "wva_metrics/resilience/circuit_breaker.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace wva_metrics::resilience {

/// The protection of an endpoint at one moment. The counters begin with the endpoint's guard.
struct ProtectionStats {
    /// Requests that the endpoint answered.
    std::uint64_t successes = 0;
    /// Requests that failed by a fault of the endpoint or of the network.
    std::uint64_t failures = 0;
    /// Requests that were sent again.
    std::uint64_t retries = 0;
    /// Requests that were not sent again because the budget was used up.
    std::uint64_t retries_denied = 0;
    /// Requests that were sent a second time while the first was still waiting.
    std::uint64_t hedges = 0;
    /// Those of them whose second one was answered first.
    std::uint64_t hedges_won = 0;
    /// Requests that were not sent: the breaker was open, or the server had asked for a pause.
    std::uint64_t refused = 0;
    /// How often the breaker opened, failed probes included.
    std::uint64_t breaker_openings = 0;
    /// Pauses that the server asked for.
    std::uint64_t pauses = 0;
    /// The breaker's state.
    CircuitBreaker::State breaker = CircuitBreaker::State::closed;
    /// Since when the breaker has not been closed; nothing if it is.
    std::optional<TimePoint> open_since{};
    /// Why the breaker opened, for people; empty if it is closed.
    std::string reason{};
    /// Nothing is sent before this time; nothing if requests may be sent.
    std::optional<TimePoint> not_before{};
    /// Requests that may be in flight.
    std::size_t concurrency_limit = 0;
    /// What is left of the retry budget.
    double retry_tokens = 0;
};

} // namespace wva_metrics::resilience
