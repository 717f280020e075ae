// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/detail/server_clock.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/samples/pod_report.hpp"

#include <optional>
#include <set>
#include <string>
#include <vector>

namespace wva_metrics::detail {

/// What one round learned of one model.
struct ModelReport {
    /// The query for its samples failed.
    std::optional<Error> failure{};
    /// Sorted by pod. The processes whose labels name no pod come first, under the empty name.
    std::vector<samples::PodReport> pods{};
    /// Converts the times of the pods' values.
    ServerClock clock{};
    /// The server says that a part of its answer may be missing.
    std::set<std::string> server_warnings{};
    /// What was left out or is undecided, and what to do.
    std::vector<std::string> warnings{};
};

} // namespace wva_metrics::detail
