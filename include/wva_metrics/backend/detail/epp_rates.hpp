// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/detail/epp_page.hpp"
#include "wva_metrics/backend/detail/server_clock.hpp"
#include "wva_metrics/backend/detail/signal_metrics.hpp"
#include "wva_metrics/backend/detail/signal_total.hpp"
#include "wva_metrics/engine/engine_profile.hpp"
#include "wva_metrics/reading.hpp"
#include "wva_metrics/samples/metric_set.hpp"
#include "wva_metrics/samples/pod_report.hpp"
#include "wva_metrics/samples/processes.hpp"
#include "wva_metrics/samples/sample_rules.hpp"
#include "wva_metrics/samples/view.hpp"
#include "wva_metrics/samples/view_table.hpp"
#include "wva_metrics/signal.hpp"

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics::detail {

/// The metrics of an EPP as if they were those of a server, so that `samples/` measures them.
inline EngineProfile epp_profile(const EppPage& page) {
    EngineProfile profile;
    profile.name = "epp";
    profile.running = page.names_of(EppMetric::running_requests);
    profile.arrival_rate = page.names_of(EppMetric::requests);
    profile.input_tokens = page.names_of(EppMetric::input_tokens);
    profile.output_tokens = page.names_of(EppMetric::output_tokens);
    profile.ttft = page.names_of(EppMetric::time_to_first_token);
    profile.itl = page.names_of(EppMetric::inter_token_latency);
    return profile;
}

/// As above, for one counter that stands for `Signal::arrival_rate`.
inline EngineProfile counter_profile(const EppPage& page, EppMetric counter) {
    EngineProfile profile;
    profile.name = "epp";
    profile.arrival_rate = page.names_of(counter);
    return profile;
}

/// The rates and averages of an EPP's counters and histograms. An EPP is one process, so all series of
/// one subject, such as a model, are one view, and all of their labels are its own.
class EppRates {
public:
    /// The page and the rules must outlive it.
    EppRates(const EppPage& page, const EngineProfile& profile, const samples::SampleRules& rules)
        : page_(page), metrics_(profile), names_(profile), rules_(rules) {}

    /// The value of a signal over the series for which `is_wanted` is true. Of a page without such a
    /// series, it is missing with the reason `no_series`.
    template <typename Wanted>
    Reading<double> measure(Signal signal, const ServerClock& clock, double min_requests,
                            Wanted is_wanted) const {
        SignalTotal total(signal);
        for (const samples::PodReport& report : reports(clock, is_wanted))
            total.add(report);
        return total.empty() ? Reading<double>::missing(ReadingReason::no_series)
                             : total.reading(names_, clock, min_requests);
    }

private:
    template <typename Wanted>
    std::vector<samples::PodReport> reports(const ServerClock& clock, Wanted is_wanted) const {
        EngineLabels labels;
        labels.model.clear();
        labels.engine = label_names(is_wanted);
        samples::ViewTable table(metrics_, labels, rules_);
        std::vector<samples::LabelView> views;
        for (const std::string& name : metrics_.names())
            for (const EppSeries& series : page_.named(name)) {
                if (!is_wanted(series))
                    continue;
                views.assign(1, {"__name__", name});
                for (const auto& [label, value] : series.labels)
                    views.push_back({label, value});
                table.add(0, views, series.samples, series.has_ended);
            }
        const std::map<std::size_t, std::vector<samples::View>> models = std::move(table).take();
        if (models.empty())
            return {};
        const samples::ModelProcesses processes =
            samples::find_processes(models.begin()->second, metrics_, rules_, clock.evaluated);
        return samples::report_pods(processes, metrics_, clock.evaluated, rules_);
    }

    template <typename Wanted>
    std::vector<std::string> label_names(Wanted is_wanted) const {
        std::set<std::string> found;
        for (const std::string& name : metrics_.names())
            for (const EppSeries& series : page_.named(name))
                if (is_wanted(series))
                    for (const auto& [label, value] : series.labels)
                        found.insert(label);
        return {found.begin(), found.end()};
    }

    const EppPage& page_;
    samples::MetricSet metrics_;
    SignalMetrics names_;
    const samples::SampleRules& rules_;
};

} // namespace wva_metrics::detail
