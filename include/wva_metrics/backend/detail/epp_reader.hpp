// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/detail/epp_page.hpp"
#include "wva_metrics/backend/detail/gauge_reading.hpp"
#include "wva_metrics/backend/detail/server_clock.hpp"
#include "wva_metrics/backend/epp_config.hpp"
#include "wva_metrics/backend/epp_names.hpp"
#include "wva_metrics/reading.hpp"
#include "wva_metrics/samples/combine.hpp"
#include "wva_metrics/samples/gauge_peak.hpp"
#include "wva_metrics/samples/sample_rules.hpp"
#include "wva_metrics/samples/signal_value.hpp"
#include "wva_metrics/signal.hpp"

#include <chrono>
#include <string_view>
#include <vector>

namespace wva_metrics::detail {

/// The rules by which the samples of an EPP are measured.
inline samples::SampleRules rules_of(const EppConfig& config) {
    samples::SampleRules rules;
    rules.window = std::chrono::ceil<samples::ServerDuration>(config.rate_window);
    rules.peak = std::chrono::ceil<samples::ServerDuration>(config.peak_window);
    return rules;
}

/// The gauges of an EPP's page as readings.
class EppReader {
public:
    /// The page and the configuration must outlive it. The page was read successfully at
    /// `clock.requested`.
    EppReader(const EppPage& page, const EppConfig& config, const ServerClock& clock)
        : page_(page), config_(config), clock_(clock) {}

    const EppPage& page() const noexcept { return page_; }
    const EppConfig& config() const noexcept { return config_; }
    const ServerClock& clock() const noexcept { return clock_; }

    /// The sum of the living series for which `is_wanted` is true; missing if there is none.
    template <typename Wanted>
    Reading<double> sum(EppMetric metric, Wanted is_wanted,
                        samples::ServerDuration peak = samples::ServerDuration::zero()) const {
        const EppPage::Family family = page_.find(metric);
        std::vector<samples::SignalValue> parts;
        for (const EppSeries& series : family.series)
            if (!series.has_ended && is_wanted(series)) {
                parts.push_back(
                    samples::peak_of(series_of(series), clock_.evaluated - peak, clock_.evaluated));
                samples::refuse_implausible(parts.back(), info_of(Signal::queue_length).highest);
                parts.back().window = peak;
            }
        return gauge_reading(samples::combine(parts, Signal::queue_length), family.name, clock_);
    }

    /// The only living series for which `is_wanted` is true. Of several, nothing tells which one is
    /// meant.
    template <typename Wanted>
    Reading<double> only(EppMetric metric, Wanted is_wanted,
                         Duration delay = Duration::zero()) const {
        const EppPage::Family family = page_.find(metric);
        const EppSeries* found = nullptr;
        for (const EppSeries& series : family.series) {
            if (series.has_ended || !is_wanted(series))
                continue;
            if (found != nullptr)
                return Reading<double>::missing(ReadingReason::ambiguous, family.name);
            found = &series;
        }
        if (found == nullptr)
            return Reading<double>::missing(ReadingReason::no_series, family.name);
        samples::SignalValue value =
            samples::peak_of(series_of(*found), clock_.evaluated, clock_.evaluated);
        samples::refuse_implausible(value, highest_of(metric));
        const auto late = std::chrono::ceil<samples::ServerDuration>(delay);
        value.time -= late;
        value.latest_at -= late;
        return gauge_reading(value, family.name, clock_);
    }
    Reading<double> only(EppMetric metric, Duration delay = Duration::zero()) const {
        return only(
            metric, [](const EppSeries&) { return true; }, delay);
    }

    /// True if the EPP publishes anything of flow control, so that an absent queue is an empty one.
    bool has_flow_control() const {
        for (const EppMetric metric : {EppMetric::flow_queue_size, EppMetric::pool_saturation,
                                       EppMetric::flow_requests, EppMetric::stale_endpoints})
            if (!page_.find(metric).series.empty())
                return true;
        return !page_.find(EppMetric::dispatch_cycles, "_count").series.empty();
    }

    /// Endpoints with fresh metrics. The number is as old as the last flush may be.
    Reading<double> ready_endpoints() const {
        return only(EppMetric::ready_endpoints, config_.flush_interval);
    }

private:
    static constexpr double highest_of(EppMetric metric) noexcept {
        // A saturation may exceed 1, and a number of endpoints or requests any bound.
        return info_of(metric == EppMetric::average_kv_cache ? Signal::kv_cache_usage
                                                             : Signal::queue_length)
            .highest;
    }

    static samples::Series series_of(const EppSeries& series) {
        return {0, {}, series.samples, series.has_ended};
    }

    const EppPage& page_;
    const EppConfig& config_;
    ServerClock clock_;
};

} // namespace wva_metrics::detail
