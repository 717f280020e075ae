// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/attribution/known_workloads.hpp"
#include "wva_metrics/detail/saturating_add.hpp"
#include "wva_metrics/reading.hpp"

#include <cstdint>

namespace wva_metrics::detail {

/// Decides in which background rounds the workloads of all variants are remembered once more.
///
/// A variant's workload is remembered when the variant is tracked, and for
/// `KnownWorkloadsLimits::retention`. To look each of them up in every round would cost more than
/// their answers. Once in a quarter of the retention is enough; and in the next round if a workload
/// was forgotten, because another variant may still scale it.
class WorkloadRefresh {
public:
    /// `changes` is `KnownWorkloads::changes()`. If this returns true, the caller remembers all.
    bool begin_if_due(TimePoint now, std::uint64_t changes) noexcept {
        if (now < next_ && changes == changes_)
            return false;
        next_ = saturating_add(now, KnownWorkloadsLimits().retention / 4);
        changes_ = changes; // Before the caller's own, so that the next round looks again.
        return true;
    }

private:
    TimePoint next_{};
    std::uint64_t changes_ = 0;
};

} // namespace wva_metrics::detail
