// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/detail/gauge_reading.hpp"
#include "wva_metrics/backend/detail/signal_metrics.hpp"
#include "wva_metrics/reading.hpp"
#include "wva_metrics/samples/histogram_quantile.hpp"
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

/// What is known of an optional signal of a pod without any samples: as much as of the others.
inline samples::SignalValue value_without_samples(const samples::PodReport& pod) {
    const samples::SignalValue& running = pod[Signal::running];
    samples::SignalValue value;
    value.reason =
        running.reason == ReadingReason::none ? ReadingReason::no_series : running.reason;
    value.time = running.time;
    if (running.alias == SignalMetrics::no_name)
        value.alias = SignalMetrics::no_name;
    return value;
}

/// A rate, an average or a quantile of several pods.
///
/// A pod that lives but has no usable value is missing from the total. A pod that does not expose
/// the signal is not. One whose kind of server does not provide it is, if another pod's does: nobody
/// knows what is served there.
class SignalTotal {
public:
    explicit SignalTotal(Signal signal) : signal_(signal) {}

    void add(const samples::PodReport& pod) { add(pod, pod[signal_]); }

    /// One value of a pod.
    void add(const samples::PodReport& pod, const samples::SignalValue& value) {
        if (value.reason == ReadingReason::not_provided && may_live(pod.life))
            not_provided_.push_back(pod.pod);
        if (value.reason == ReadingReason::no_series)
            has_no_series_ = true;
        if (value.reason == ReadingReason::no_series || value.reason == ReadingReason::not_provided)
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

    /// The number of pods that have a value.
    std::size_t measured() const noexcept { return counted_; }
    /// The number of pods that are counted as a whole.
    std::size_t counted() const noexcept { return whole_; }
    /// The pods that live but are missing from the total, wholly or in part.
    std::vector<std::string> missing() const {
        std::vector<std::string> all = missing_;
        if (!empty())
            all.insert(all.end(), not_provided_.begin(), not_provided_.end());
        return all;
    }
    /// True if no pod exposes the signal.
    bool empty() const noexcept { return counted_ == 0 && failed_.reason == ReadingReason::none; }
    /// Why the total is empty.
    ReadingReason why_empty() const noexcept {
        return has_no_series_ || not_provided_.empty() ? ReadingReason::no_series
                                                       : ReadingReason::not_provided;
    }

    /// The total. A rate is per `per`. An average is missing if fewer than `min_requests` requests
    /// were counted: then it is neither 0 nor a huge number. Not for an empty total.
    Reading<double> reading(const SignalMetrics& metrics, const ServerClock& clock,
                            double min_requests,
                            std::chrono::seconds per = std::chrono::minutes(1)) const {
        if (computation_of(signal_) == Computation::average) {
            // An infinite count makes the average invalid, although the division would give 0.
            const double value = std::isfinite(total_.weight)
                                     ? total_.value / total_.weight
                                     : std::numeric_limits<double>::quiet_NaN();
            return of_requests(Statistic::average, value, metrics, clock, min_requests);
        }
        if (counted_ == 0)
            return without_value(failed_, Statistic::rate, metrics.name(signal_, failed_.alias),
                                 clock);
        ReadingDetails<double> details = details_of(total_, Statistic::rate, clock);
        details.is_lower_bound = !missing_.empty() || !not_provided_.empty();
        return Reading<double>::measured(total_.value * static_cast<double>(per.count()),
                                         clock.local(total_.time),
                                         metrics.name(signal_, total_.alias), details);
    }

    /// A quantile of what the pods observed. Missing as an average is, and if there is no bucket of
    /// +Inf. Not for an empty total.
    Reading<double> quantile(const samples::QuantileValue& found, const SignalMetrics& metrics,
                             const ServerClock& clock, double min_requests) const {
        const Reading<double> reading =
            of_requests(Statistic::quantile, found.value, metrics, clock, min_requests);
        const bool is_number =
            found.reason == ReadingReason::none || found.reason == ReadingReason::not_finite;
        if (is_number || reading.state() == ReadingState::missing)
            return reading;
        return Reading<double>::missing(found.reason, metrics.name(signal_, total_.alias),
                                        details_of(total_, Statistic::quantile, clock));
    }

private:
    /// A value of requests that were counted.
    Reading<double> of_requests(Statistic statistic, double value, const SignalMetrics& metrics,
                                const ServerClock& clock, double min_requests) const {
        if (counted_ == 0)
            return without_value(failed_, statistic, metrics.name(signal_, failed_.alias), clock);
        const MetricName metric = metrics.name(signal_, total_.alias);
        const ReadingDetails<double> details = details_of(total_, statistic, clock);
        if (requests_ < min_requests || total_.weight == 0)
            return Reading<double>::missing(ReadingReason::no_requests, metric, details);
        return Reading<double>::measured(value, clock.local(total_.time), metric, details);
    }

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
    std::vector<std::string> not_provided_;
    bool has_no_series_ = false;
};

} // namespace wva_metrics::detail
