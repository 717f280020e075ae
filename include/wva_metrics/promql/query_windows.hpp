// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/reading.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace wva_metrics::promql {

/// The time windows of the queries.
struct QueryWindows {
    /// The window of rates and averages. For a server that is scraped so rarely that the window
    /// holds fewer than two samples, a longer one is used, up to five minutes; the reading says over
    /// how long it was measured. At most 1 h.
    Duration rate = std::chrono::minutes(1);
    /// The window of a gauge's highest value. 0 = the last sample only. At most 1 h.
    Duration peak = std::chrono::minutes(1);
    /// How long after its last sample the metrics of a model count as stale instead of missing. At
    /// most a week.
    Duration stale_lookback = std::chrono::hours(1);
    /// The resolution of that look-back.
    Duration stale_step = std::chrono::minutes(1);
    /// How long a pod that no longer exists is reported as gone. At most 6 h.
    Duration pod_retention = std::chrono::minutes(10);
};

/// The problems of the windows, one sentence each; empty if they are valid.
inline std::vector<std::string> validate(const QueryWindows& windows) {
    constexpr Duration zero = Duration::zero();
    // Prometheus evaluates every step of the look-back for every series, without a limit of its
    // own.
    constexpr int max_steps = 1000;
    // Each round fetches all samples within these windows, of every series.
    constexpr Duration longest_window = std::chrono::hours(1);
    constexpr Duration longest_retention = std::chrono::hours(6);
    constexpr Duration longest_lookback = std::chrono::hours(24 * 7);
    std::vector<std::string> problems;
    const auto require = [&](bool holds, const char* sentence) {
        if (!holds)
            problems.emplace_back(sentence);
    };
    require(windows.rate > zero, "windows.rate must be positive");
    require(windows.peak >= zero, "windows.peak must not be negative; 0 takes the last sample");
    require(windows.rate <= longest_window,
            "windows.rate must be at most 1h, because each round fetches every sample within it");
    require(windows.peak <= longest_window,
            "windows.peak must be at most 1h, because each round fetches every sample within it");
    require(windows.stale_lookback > zero, "windows.stale_lookback must be positive");
    require(windows.stale_step > zero, "windows.stale_step must be positive");
    if (windows.stale_lookback > zero && windows.stale_step > zero) {
        require(windows.stale_step <= windows.stale_lookback,
                "windows.stale_step must not be longer than windows.stale_lookback");
        require(windows.stale_lookback / max_steps <= windows.stale_step,
                "windows.stale_lookback must be at most 1000 times windows.stale_step");
    }
    require(windows.stale_lookback <= longest_lookback,
            "windows.stale_lookback must be at most 168h (a week)");
    require(windows.pod_retention > zero, "windows.pod_retention must be positive");
    require(windows.pod_retention <= longest_retention,
            "windows.pod_retention must be at most 6h, because each round fetches every sample "
            "of kube-state-metrics within it");
    return problems;
}

} // namespace wva_metrics::promql
