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

/// The processes of one model.
struct ModelProcesses {
    /// Sorted by pod.
    std::vector<Process> processes{};
    /// For people: what is ambiguous or left out, and what to do.
    std::vector<std::string> warnings{};
};

} // namespace wva_metrics::samples
