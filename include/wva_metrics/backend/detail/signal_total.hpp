// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/detail/gauge_reading.hpp"
#include "wva_metrics/backend/detail/signal_metrics.hpp"
#include "wva_metrics/reading.hpp"
#include "wva_metrics/samples/pod_report.hpp"
#include "wva_metrics/signal.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <vector>

namespace wva_metrics::detail {

/// True if a pod's processes are, or may be, there.
constexpr bool may_live(samples::PodLife life) noexcept {
    using samples::PodLife;
    return life == PodLife::alive || life == PodLife::part || life == PodLife::unread ||
           life == PodLife::ambiguous;
}

/// A rate or an average of several pods.
///
/// A pod that lives but has no usable value is missing from the total. A pod that does not expose
/// the signal is not.
class SignalTotal {
public:
    explicit SignalTotal(Signal signal) : signal_(signal) {}

    void add(const samples::PodReport& pod) {
        const samples::SignalValue& value = pod[signal_];
        if (value.reason == ReadingReason::no_series)
            return;
        const bool has_value = value.reason == ReadingReason::none;
        const bool is_whole = has_value && pod.life != samples::PodLife::part;
        if (has_value)
            add_value(value);
        else if (counted_ == 0 && precedes(value.reason, failed_.reason))
            failed_ = value;
        if (is_whole)
            ++whole_;
        else if (may_live(pod.life))
            missing_.push_back(pod.pod);
    }

    /// The number of pods that are counted as a whole.
    std::size_t counted() const noexcept { return whole_; }
    /// The pods that live but are missing from the total, wholly or in part.
    const std::vector<std::string>& missing() const noexcept { return missing_; }
    /// True if no pod exposes the signal.
    bool empty() const noexcept { return counted_ == 0 && failed_.reason == ReadingReason::none; }

    /// The total. A rate is per minute. An average is missing if fewer than `min_requests` requests
    /// were counted: then it is neither 0 nor a huge number. Not for an empty total.
    Reading<double> reading(const SignalMetrics& metrics, const ServerClock& clock,
                            double min_requests) const {
        const bool is_average = computation_of(signal_) == Computation::average;
        const Statistic statistic = is_average ? Statistic::average : Statistic::rate;
        if (counted_ == 0)
            return without_value(failed_, statistic, metrics.name(signal_, failed_.alias), clock);
        const MetricName metric = metrics.name(signal_, total_.alias);
        ReadingDetails<double> details = details_of(total_, statistic, clock);
        if (!is_average) {
            constexpr double seconds_per_minute = 60;
            details.is_lower_bound = !missing_.empty();
            return Reading<double>::measured(total_.value * seconds_per_minute,
                                             clock.local(total_.time), metric, details);
        }
        if (requests_ < min_requests || total_.weight == 0)
            return Reading<double>::missing(ReadingReason::no_requests, metric, details);
        // An infinite count makes the average invalid, although the division would give 0.
        const double value = std::isfinite(total_.weight)
                                 ? total_.value / total_.weight
                                 : std::numeric_limits<double>::quiet_NaN();
        return Reading<double>::measured(value, clock.local(total_.time), metric, details);
    }

private:
    void add_value(const samples::SignalValue& value) {
        requests_ += value.weight * std::chrono::duration<double>(value.window).count();
        if (counted_++ == 0) {
            total_ = value;
            return;
        }
        total_.value += value.value;
        total_.weight += value.weight;
        total_.time = std::max(total_.time, value.time);
        total_.window = std::max(total_.window, value.window);
        total_.spacing = std::max(total_.spacing, value.spacing);
        total_.alias = std::min(total_.alias, value.alias);
    }

    /// Of several reasons, the one is kept that asks for an action before the one that passes.
    static bool precedes(ReadingReason one, ReadingReason other) noexcept {
        const auto rank = [](ReadingReason reason) {
            switch (reason) {
            case ReadingReason::not_finite:
                return 0;
            case ReadingReason::ambiguous:
                return 1;
            case ReadingReason::inconsistent:
                return 2;
            case ReadingReason::unread:
                return 3;
            case ReadingReason::window_too_short:
                return 4;
            case ReadingReason::warming_up:
                return 5;
            default:
                return 6;
            }
        };
        return rank(one) < rank(other);
    }

    Signal signal_;
    samples::SignalValue total_{};
    /// Of the pods without a value, the one whose reason matters most; `none` if there is no such
    /// pod.
    samples::SignalValue failed_{.reason = ReadingReason::none};
    double requests_ = 0;
    std::size_t counted_ = 0;
    std::size_t whole_ = 0;
    std::vector<std::string> missing_;
};

} // namespace wva_metrics::detail
