// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/reading.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace wva_metrics::resilience {

/// Something that changed in the protection of an endpoint. See `ProtectionConfig::on_event`.
struct ProtectionEvent {
    /// What happened.
    enum class Kind : std::uint8_t {
        /// The circuit breaker opened: nothing is sent until a probe.
        breaker_opened,
        /// The circuit breaker sends a probe.
        breaker_probing,
        /// The circuit breaker closed: the endpoint works again.
        breaker_closed,
        /// The server asked for a pause by `Retry-After`: nothing is sent until its end.
        paused,
        /// A failed request will be sent again.
        retrying,
        /// A failed request is not sent again, because the retry budget is used up.
        budget_exhausted,
        /// Of several servers with the same data, this one is asked from now on.
        replica_chosen,
        /// Fewer requests may be in flight than before, because some have failed.
        limit_lowered,
        /// As many requests may be in flight as the configuration allows, again.
        limit_restored,
        /// A slow request is sent a second time; see `HedgingConfig`.
        hedging,
    };

    /// What happened.
    Kind kind{};
    /// When it happened.
    TimePoint at{};
    /// `scheme://host:port`.
    std::string endpoint{};
    /// The reason, for people; may be empty. Never contains a secret.
    std::string reason{};
};

/// A short stable name for logs and labels, e.g. `breaker_opened`.
constexpr std::string_view to_string(ProtectionEvent::Kind kind) noexcept {
    switch (kind) {
    case ProtectionEvent::Kind::breaker_opened:
        return "breaker_opened";
    case ProtectionEvent::Kind::breaker_probing:
        return "breaker_probing";
    case ProtectionEvent::Kind::breaker_closed:
        return "breaker_closed";
    case ProtectionEvent::Kind::paused:
        return "paused";
    case ProtectionEvent::Kind::retrying:
        return "retrying";
    case ProtectionEvent::Kind::budget_exhausted:
        return "budget_exhausted";
    case ProtectionEvent::Kind::replica_chosen:
        return "replica_chosen";
    case ProtectionEvent::Kind::limit_lowered:
        return "limit_lowered";
    case ProtectionEvent::Kind::limit_restored:
        return "limit_restored";
    case ProtectionEvent::Kind::hedging:
        return "hedging";
    }
    return "unknown";
}

} // namespace wva_metrics::resilience
