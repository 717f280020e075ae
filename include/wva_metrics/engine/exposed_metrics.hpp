// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/engine/engine_profile.hpp"
#include "wva_metrics/engine/metric_source.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/optional_reading.hpp"
#include "wva_metrics/signal.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace wva_metrics {

namespace detail {

inline void sort_unique(std::vector<std::string>& names) {
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
}

} // namespace detail

/// The names of the metrics from which a signal is computed, sorted, each once: those of histograms
/// without `_sum` and `_count`. A name that cannot be read is left out.
inline std::vector<std::string> metric_names(const EngineProfile& profile, Signal signal) {
    std::vector<std::string> names;
    for (const std::string& text : profile[signal]) {
        const Result<MetricSource> source = parse_metric_source(text);
        if (source.has_error())
            continue;
        for (const MetricTerm& term : source->terms)
            names.push_back(term.name);
        if (source->per)
            names.push_back(source->per->name);
        if (source->times)
            names.push_back(source->times->name);
    }
    detail::sort_unique(names);
    return names;
}

/// The exposed metrics from which a signal is computed, sorted: for an average, `_sum` and `_count`
/// of each histogram, and its own name, under which a native histogram is stored.
inline std::vector<std::string> exposed_metrics(const EngineProfile& profile, Signal signal) {
    std::vector<std::string> names = metric_names(profile, signal);
    if (computation_of(signal) == Computation::average) {
        for (const std::string& text : profile[signal]) {
            const Result<MetricSource> source = parse_metric_source(text);
            if (source.has_error() || source->per)
                continue;
            names.push_back(source->terms.front().name + "_count");
            names.push_back(source->terms.front().name + "_sum");
        }
    }
    detail::sort_unique(names);
    return names;
}

/// The exposed metrics of all signals that are always measured, and of the optional readings in
/// `chosen`, sorted, each once. Of a quantile, the `_bucket` of each histogram, and its own name.
inline std::vector<std::string> exposed_metrics(const EngineProfile& profile,
                                                OptionalReadingSet chosen = {}) {
    std::vector<std::string> all;
    for (const SignalInfo& info : signals) {
        if (!is_optional(info.signal) || chosen.needs(info.signal)) {
            const std::vector<std::string> names = exposed_metrics(profile, info.signal);
            all.insert(all.end(), names.begin(), names.end());
        }
        if (!chosen.needs_histogram(info.signal))
            continue;
        for (const std::string& text : profile[info.signal]) {
            const Result<MetricSource> source = parse_metric_source(text);
            if (source.has_error() || source->per)
                continue;
            all.push_back(source->terms.front().name + "_bucket");
            all.push_back(source->terms.front().name);
        }
    }
    detail::sort_unique(all);
    return all;
}

/// The metrics that stay the same while a process lives, sorted: the time of its start and, because
/// not every server exposes it, the times when its counters and histograms were created.
inline std::vector<std::string> identity_metrics(const EngineProfile& profile) {
    std::vector<std::string> names = {"process_start_time_seconds"};
    for (const Signal signal : all_signals) {
        const Computation computation = computation_of(signal);
        if (computation != Computation::counter_rate && computation != Computation::average)
            continue;
        for (std::string name : metric_names(profile, signal)) {
            // OpenMetrics: the counter a_total and the histogram a, whose number of observations is
            // a_count, have the time of creation a_created.
            for (const std::string_view ending : {"_total", "_count"})
                if (name.ends_with(ending)) {
                    name.resize(name.size() - ending.size());
                    break;
                }
            names.push_back(name + "_created");
        }
    }
    detail::sort_unique(names);
    return names;
}

} // namespace wva_metrics
