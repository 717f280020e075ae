// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/samples/view.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace wva_metrics::samples {

/// What a process is to the total of its pod.
enum class ProcessStatus : std::uint8_t {
    /// It counts.
    counted,
    /// It ended before another process of the same pod began.
    predecessor,
    /// It may be one process or several, and nothing decides.
    ambiguous,
    /// A recorded or aggregated copy of other series; it does not count.
    aggregate,
    /// Its labels name no pod.
    unattributed,
};

/// One process of a pod, seen in one or several views.
struct Process {
    /// Empty if no label names it.
    std::string pod{};
    /// Views of the same process; at least one. They must outlive this.
    std::vector<const View*> copies{};
    /// By what it was decided, each once, in words.
    std::vector<std::string> evidence{};
    /// Whether it counts.
    ProcessStatus status = ProcessStatus::counted;
};

/// A pod, and the label that names it.
struct PodSelector {
    std::string label{}; ///< The label's name.
    std::string pod{};   ///< The label's value.

    friend auto operator<=>(const PodSelector&, const PodSelector&) = default;
};

/// The processes of one model.
struct ModelProcesses {
    /// Sorted by pod.
    std::vector<Process> processes{};
    /// The pods that are ambiguous, and that samples of a longer time or the processes' identities
    /// may decide. Sorted, each once; a pod that several labels name has one entry for each.
    std::vector<PodSelector> undecided{};
    /// The series are of several clusters, and all processes are ambiguous. More samples decide
    /// nothing: somebody has to choose a cluster.
    bool has_cluster_conflict = false;
    /// For people: what is left out, and what to do.
    std::vector<std::string> warnings{};
    /// The same of what is ambiguous.
    std::vector<std::string> ambiguity_warnings{};
};

} // namespace wva_metrics::samples
