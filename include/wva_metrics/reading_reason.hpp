// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

namespace wva_metrics {

/// Whether there is a value, and whether it can be used in arithmetic.
enum class ReadingState : std::uint8_t {
    /// There is no value; `reason()` says why.
    missing,
    /// A finite number, measured at `sampled_at()`.
    present,
    /// The server reported NaN or an infinity. It is kept for display and never returned as a
    /// value.
    invalid,
};

/// Why a reading has no usable value.
enum class ReadingReason : std::uint8_t {
    none,
    /// It has not been requested yet.
    not_collected,
    /// The backend has no series for it: the metric is not exposed, not scraped, or has another
    /// name.
    no_series,
    /// An average over (almost) no requests cannot be computed.
    no_requests,
    /// The number is NaN or infinite.
    not_finite,
    /// There are series, but their labels do not identify a variant.
    unattributed,
    /// The backend failed to return it.
    backend_error,
    /// There is one sample so far: a rate needs two. Another one is expected soon.
    warming_up,
    /// The window holds fewer than two samples, because the server is scraped too rarely for it.
    window_too_short,
    /// A pod is seen several times, and nothing tells whether it is one process or several.
    ambiguous,
    /// A counter was reset so often that several processes seem to write one series, or a sum fell and
    /// the number of what was added up did not.
    inconsistent,
    /// The pod exists, but it could not be scraped.
    unread,
    /// Two sources measured values that are too different.
    disputed,
    /// This kind of server publishes no such metric: waiting for it does not help.
    not_provided,
    /// The server sent a number that cannot be true: fewer than none, or a fraction above 1.
    implausible,
};

/// The enumerator's name.
constexpr std::string_view to_string(ReadingState state) noexcept {
    switch (state) {
    case ReadingState::missing:
        return "missing";
    case ReadingState::present:
        return "present";
    case ReadingState::invalid:
        return "invalid";
    }
    return "unknown";
}

/// The enumerator's name.
constexpr std::string_view to_string(ReadingReason reason) noexcept {
    switch (reason) {
    case ReadingReason::none:
        return "none";
    case ReadingReason::not_collected:
        return "not_collected";
    case ReadingReason::no_series:
        return "no_series";
    case ReadingReason::no_requests:
        return "no_requests";
    case ReadingReason::not_finite:
        return "not_finite";
    case ReadingReason::unattributed:
        return "unattributed";
    case ReadingReason::backend_error:
        return "backend_error";
    case ReadingReason::warming_up:
        return "warming_up";
    case ReadingReason::window_too_short:
        return "window_too_short";
    case ReadingReason::ambiguous:
        return "ambiguous";
    case ReadingReason::inconsistent:
        return "inconsistent";
    case ReadingReason::unread:
        return "unread";
    case ReadingReason::disputed:
        return "disputed";
    case ReadingReason::not_provided:
        return "not_provided";
    case ReadingReason::implausible:
        return "implausible";
    }
    return "unknown";
}

} // namespace wva_metrics
