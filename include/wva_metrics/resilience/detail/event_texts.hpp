// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/format_duration.hpp"
#include "wva_metrics/reading.hpp"
#include "wva_metrics/resilience/circuit_breaker.hpp"
#include "wva_metrics/resilience/protection_event.hpp"

#include <chrono>
#include <cstdio>
#include <string>

// How the protection of an endpoint is told to people.

namespace wva_metrics::resilience::detail {

/// `4.2s`: exact to a tenth of a second, or to the millisecond below one second.
inline std::string describe_wait(Duration duration) {
    const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(duration);
    const auto unit = milliseconds < std::chrono::seconds(1) ? 1 : 100;
    return format_duration(milliseconds / unit * unit);
}

/// `08:49:37 UTC`
inline std::string format_time_of_day(std::chrono::system_clock::time_point time) {
    const auto seconds = std::chrono::round<std::chrono::seconds>(time.time_since_epoch());
    const auto of_day = seconds % std::chrono::days(1);
    const std::chrono::hh_mm_ss parts(of_day);
    char text[16];
    std::snprintf(text, sizeof text, "%02d:%02d:%02d UTC", static_cast<int>(parts.hours().count()),
                  static_cast<int>(parts.minutes().count()),
                  static_cast<int>(parts.seconds().count()));
    return text;
}

/// The event of a breaker that has entered a state.
inline ProtectionEvent::Kind kind_of(CircuitBreaker::State entered) noexcept {
    switch (entered) {
    case CircuitBreaker::State::open:
        return ProtectionEvent::Kind::breaker_opened;
    case CircuitBreaker::State::half_open:
        return ProtectionEvent::Kind::breaker_probing;
    case CircuitBreaker::State::closed:
        break;
    }
    return ProtectionEvent::Kind::breaker_closed;
}

} // namespace wva_metrics::resilience::detail
