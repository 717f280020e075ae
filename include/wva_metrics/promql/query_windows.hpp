// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/reading.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace wva_metrics::promql {

/// How far back the queries look.
struct QueryWindows {
    /// Of rates and averages. At least two scrapes must fall into it, or there is no value: with a
    /// scrape every 15 s the default leaves room for two missed ones; with one every 60 s it is too
    /// short.
    Duration rate = std::chrono::minutes(1);
    /// In which the highest value of a gauge is looked for. 0 = only the last sample.
    Duration peak = std::chrono::minutes(1);
    /// How long after its last sample a model still counts as one whose metrics are stale, not
    /// missing.
    Duration stale_lookback = std::chrono::hours(1);
    /// How exactly that last sample is found in the past.
    Duration stale_step = std::chrono::minutes(1);
    /// How long a pod that no longer exists is remembered, so that it is known to be gone.
    Duration pod_memory = std::chrono::minutes(10);
};

/// Everything that is wrong, one sentence each; empty where the windows are sound.
inline std::vector<std::string> validate(const QueryWindows& windows) {
    constexpr Duration zero = Duration::zero();
    // Prometheus takes every step of the look-back for every series, without a bound of its own.
    constexpr int max_steps = 1000;
    std::vector<std::string> problems;
    const auto require = [&](bool holds, const char* sentence) {
        if (!holds)
            problems.emplace_back(sentence);
    };
    require(windows.rate > zero, "windows.rate must be positive");
    require(windows.peak >= zero, "windows.peak must not be negative; 0 takes the last sample");
    require(windows.stale_lookback > zero, "windows.stale_lookback must be positive");
    require(windows.stale_step > zero, "windows.stale_step must be positive");
    if (windows.stale_lookback > zero && windows.stale_step > zero) {
        require(windows.stale_step <= windows.stale_lookback,
                "windows.stale_step must not be longer than windows.stale_lookback");
        require(windows.stale_lookback / max_steps <= windows.stale_step,
                "windows.stale_lookback must be at most 1000 times windows.stale_step");
    }
    require(windows.pod_memory > zero, "windows.pod_memory must be positive");
    return problems;
}

} // namespace wva_metrics::promql
