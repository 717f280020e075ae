// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/reading.hpp"
#include "wva_metrics/samples/signal_value.hpp"
#include "wva_metrics/signal.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>

namespace wva_metrics::samples {

namespace detail {

/// True if the part does not expose the signal.
inline bool is_absent(const SignalValue& part) noexcept {
    return part.reason == ReadingReason::no_series || part.reason == ReadingReason::not_provided;
}

/// Adds a part to a sum. A sum of gauges is as old as its oldest part; a rate as its newest, and so
/// is the presence of several engines.
inline void add_part(SignalValue& total, const SignalValue& part, Computation computation) {
    const bool is_gauge =
        computation == Computation::gauge_peak || computation == Computation::gauge_last;
    const auto time_of = [is_gauge](ServerTime one, ServerTime other) {
        return is_gauge ? std::min(one, other) : std::max(one, other);
    };
    total.value += part.value;
    total.latest += part.latest;
    total.time = time_of(total.time, part.time);
    total.latest_at = time_of(total.latest_at, part.latest_at);
    if (computation == Computation::average || computation == Computation::histogram)
        total.weight += part.weight;
}

/// Keeps the higher value with its time; of two equal values, the newer.
inline void keep_higher(SignalValue& highest, const SignalValue& part) {
    const auto keep = [](double& value, ServerTime& time, double other, ServerTime other_time) {
        if (other > value || (other == value && other_time > time)) {
            value = other;
            time = other_time;
        }
    };
    keep(highest.value, highest.time, part.value, part.time);
    keep(highest.latest, highest.latest_at, part.latest, part.latest_at);
}

} // namespace detail

/// One signal of several engines of one process, or of several processes of one pod: the sum or the
/// highest, as `SignalInfo::across_engines` says.
///
/// A part without series does not expose the signal and is left out, and so is one that is not
/// provided. If another part has no value, neither has the whole, for the same reason: unknown is
/// never zero.
inline SignalValue combine(std::span<const SignalValue> parts, Signal signal) {
    const SignalInfo& info = info_of(signal);
    SignalValue whole;
    std::size_t not_provided = 0;
    for (const SignalValue& part : parts) {
        if (detail::is_absent(part)) {
            not_provided += part.reason == ReadingReason::not_provided ? 1 : 0;
            if (whole.reason == ReadingReason::no_series)
                whole.time = std::max(whole.time, part.time);
            continue;
        }
        if (part.reason != ReadingReason::none)
            return part;
        if (whole.reason == ReadingReason::no_series) {
            whole = part;
            continue;
        }
        if (info.across_engines == AcrossEngines::highest)
            detail::keep_higher(whole, part);
        else
            detail::add_part(whole, part, info.computation);
        whole.window = std::max(whole.window, part.window);
        whole.spacing = std::max(whole.spacing, part.spacing);
    }
    if (whole.reason == ReadingReason::none &&
        !(std::isfinite(whole.value) && std::isfinite(whole.latest) && std::isfinite(whole.weight)))
        whole.reason = ReadingReason::not_finite;
    if (not_provided > 0 && not_provided == parts.size())
        whole.reason = ReadingReason::not_provided;
    return whole;
}

} // namespace wva_metrics::samples
