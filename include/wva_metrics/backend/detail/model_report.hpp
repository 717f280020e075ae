// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/detail/server_clock.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/pod_owner.hpp"
#include "wva_metrics/samples/pod_report.hpp"

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace wva_metrics::detail {

/// What one round learned of one pod.
struct JudgedPod {
    /// What was measured.
    samples::PodReport report{};
    /// Its state in its cluster.
    PodState state = PodState::unknown;
    /// Its owner, if a better source than its name knows it.
    std::optional<PodOwner> owner{};
    /// The kind of its server: none = the configured one, empty = not known.
    std::optional<std::string> engine{};
};

/// What one round learned of one model. Several calls may read it at once.
struct ModelReport {
    /// The query for its samples failed.
    std::optional<Error> failure{};
    /// Sorted by pod. The processes whose labels name no pod come first, under the empty name.
    std::vector<JudgedPod> pods{};
    /// Converts the times of the pods' values.
    ServerClock clock{};
    /// A part of the answer may be missing, because the server says so, or because it is not known
    /// which pods exist.
    std::set<std::string> partial_because{};
    /// What was left out or is undecided, and what to do.
    std::vector<std::string> warnings{};
    /// So many of them, the last ones, are about what is ambiguous.
    std::size_t ambiguity_warnings = 0;
    /// All pods are ambiguous, because the series are of several clusters.
    bool has_cluster_conflict = false;
};

} // namespace wva_metrics::detail
