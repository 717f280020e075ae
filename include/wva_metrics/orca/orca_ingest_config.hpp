// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/orca/orca_metric.hpp"
#include "wva_metrics/reading.hpp"

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace wva_metrics::orca {

/// How load reports are used. The blackout and the expiration are those of gRPC's client-side load
/// balancing (gRFC A58).
struct OrcaIngestConfig {
    /// Names among `named_metrics` that are the share of the KV cache in use, 0..1; the first one that
    /// a report has counts. vLLM's and Triton's by default.
    std::vector<std::string> kv_cache_usage = {"kv_cache_usage_perc", "kv_cache_utilization"};
    /// The same for the number of waiting requests. vLLM's by default; Triton does not send it.
    std::vector<std::string> queue_length = {"num_requests_waiting"};
    /// Reports of a pod are not used for this long after its first one, and after its first one since
    /// they expired: the first numbers of a server that starts say little.
    Duration blackout = std::chrono::seconds(10);
    /// A report is not used when it is older than this.
    Duration expiration = std::chrono::minutes(3);
    /// A lower number replaces a higher one only after this time, because reports of one pod may come
    /// from several engines. The interval of the scrapes is a good value.
    Duration hold = std::chrono::seconds(15);
    /// The most pods whose reports are kept. One more takes the place of one that has expired, or is
    /// refused.
    std::size_t max_pods = 10'000;
    /// The bounds of one report.
    OrcaLimits limits{};
};

/// All problems of a configuration, one sentence each; empty if it is valid.
inline std::vector<std::string> validate(const OrcaIngestConfig& config) {
    std::vector<std::string> problems;
    const auto require = [&](bool holds, const char* problem) {
        if (!holds)
            problems.emplace_back(problem);
    };
    require(config.blackout >= Duration::zero(), "blackout must not be negative");
    require(config.expiration > Duration::zero(), "expiration must be positive");
    require(config.blackout < config.expiration,
            "blackout must be shorter than expiration, or no report is ever used");
    require(config.hold >= Duration::zero(), "hold must not be negative");
    require(config.max_pods > 0, "max_pods must be positive");
    require(config.limits.max_header_bytes > 0, "limits.max_header_bytes must be positive");
    require(config.limits.max_metrics > 0 && config.limits.max_metrics <= most_orca_metrics,
            "limits.max_metrics must be 1 to 64");
    require(config.limits.max_name_bytes > 0, "limits.max_name_bytes must be positive");
    return problems;
}

} // namespace wva_metrics::orca
