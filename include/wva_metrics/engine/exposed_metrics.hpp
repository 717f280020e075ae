// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/engine/engine_profile.hpp"
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

/// The exposed metrics from which a signal is computed, sorted: for an average, `_sum` and `_count`
/// of each histogram, and its own name, under which a native histogram is stored.
inline std::vector<std::string> exposed_metrics(const EngineProfile& profile, Signal signal) {
    std::vector<std::string> names = profile[signal];
    if (computation_of(signal) == Computation::average) {
        for (const std::string& histogram : profile[signal]) {
            names.push_back(histogram + "_count");
            names.push_back(histogram + "_sum");
        }
    }
    detail::sort_unique(names);
    return names;
}

/// The exposed metrics of all signals, sorted, each once.
inline std::vector<std::string> exposed_metrics(const EngineProfile& profile) {
    std::vector<std::string> all;
    for (const Signal signal : all_signals) {
        const std::vector<std::string> names = exposed_metrics(profile, signal);
        all.insert(all.end(), names.begin(), names.end());
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
        for (std::string name : profile[signal]) {
            // OpenMetrics: the counter a_total has the time of creation a_created.
            constexpr std::string_view ending = "_total";
            if (name.ends_with(ending))
                name.resize(name.size() - ending.size());
            names.push_back(name + "_created");
        }
    }
    detail::sort_unique(names);
    return names;
}

} // namespace wva_metrics
