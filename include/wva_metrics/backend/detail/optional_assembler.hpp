// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/detail/gauge_reading.hpp"
#include "wva_metrics/backend/detail/histogram_total.hpp"
#include "wva_metrics/backend/detail/model_report.hpp"
#include "wva_metrics/backend/detail/request_total.hpp"
#include "wva_metrics/backend/detail/server_clock.hpp"
#include "wva_metrics/backend/detail/signal_metrics.hpp"
#include "wva_metrics/backend/detail/signal_total.hpp"
#include "wva_metrics/backend/detail/workload_totals.hpp"
#include "wva_metrics/optional_reading.hpp"
#include "wva_metrics/reading.hpp"
#include "wva_metrics/samples/pod_report.hpp"
#include "wva_metrics/samples/signal_value.hpp"
#include "wva_metrics/signal.hpp"

#include <chrono>

namespace wva_metrics::detail {

/// Turns what was measured into the optional readings that are chosen. Pure.
class OptionalAssembler {
public:
    /// `metrics` must outlive it.
    OptionalAssembler(const SignalMetrics& metrics, OptionalReadingSet chosen, double min_requests)
        : metrics_(metrics), chosen_(chosen), min_requests_(min_requests) {}

    /// Those of one pod.
    OptionalReadings of_pod(const samples::PodReport& pod, const ServerClock& clock) const {
        OptionalReadings readings;
        if (chosen_.empty())
            return readings;
        readings.reserve(chosen_.size());
        for (const OptionalReadingInfo& info : optional_readings)
            if (chosen_.contains(info.reading))
                readings.set(info.reading, metrics_.provides(info.signal)
                                               ? reading_of(info, pod, clock)
                                               : not_provided());
        return readings;
    }

    /// Those of one variant. `has_unattributed`: some pods of its model belong to no variant.
    OptionalReadings of_variant(const WorkloadTotal& whole, const ModelReport& report,
                                bool has_unattributed) const {
        OptionalReadings readings;
        for (const OptionalReadingInfo& info : optional_readings) {
            if (info.quantile == 0 || !chosen_.contains(info.reading))
                continue;
            const HistogramTotal& total = whole.histograms.at(info.signal);
            if (!metrics_.provides(info.signal))
                readings.set(info.reading, not_provided());
            else if (!total.empty())
                readings.set(info.reading,
                             total.quantile(info.quantile, metrics_, report.clock, min_requests_));
            else
                readings.set(info.reading,
                             Reading<double>::missing(has_unattributed ? ReadingReason::unattributed
                                                                       : total.why_empty()));
        }
        if (whole.requests)
            readings.set(OptionalReading::requests_in_window,
                         requests_of(*whole.requests, report, has_unattributed));
        return readings;
    }

private:
    static Reading<double> not_provided() {
        return Reading<double>::missing(ReadingReason::not_provided);
    }

    /// Of an answer that may lack a pod, or whose pod may be of this variant, 0 is not certain.
    Reading<double> requests_of(const RequestTotal& total, const ModelReport& report,
                                bool has_unattributed) const {
        if (!metrics_.provides(Signal::arrival_rate))
            return not_provided();
        ReadingReason doubt = ReadingReason::none;
        if (has_unattributed)
            doubt = ReadingReason::unattributed;
        else if (!report.partial_because.empty())
            doubt = ReadingReason::unread;
        return total.reading(doubt, metrics_, report.clock);
    }

    Reading<double> reading_of(const OptionalReadingInfo& info, const samples::PodReport& pod,
                               const ServerClock& clock) const {
        if (info.reading == OptionalReading::requests_in_window) {
            RequestTotal total;
            total.add(pod);
            return total.reading(ReadingReason::none, metrics_, clock);
        }
        samples::SignalValue value = pod[info.signal];
        if (value.reason == ReadingReason::not_collected)
            value = value_without_samples(pod);
        if (!is_growth(computation_of(info.signal)))
            return gauge_reading(value, metrics_.name(info.signal, value.alias), clock);
        if (info.quantile > 0) {
            HistogramTotal total(info.signal);
            total.add(pod);
            return total.empty() ? Reading<double>::missing(total.why_empty())
                                 : total.quantile(info.quantile, metrics_, clock, min_requests_);
        }
        SignalTotal total(info.signal);
        total.add(pod, value);
        return total.empty()
                   ? Reading<double>::missing(total.why_empty())
                   : total.reading(metrics_, clock, min_requests_, std::chrono::seconds(1));
    }

    const SignalMetrics& metrics_;
    OptionalReadingSet chosen_;
    double min_requests_;
};

} // namespace wva_metrics::detail
