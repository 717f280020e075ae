// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace wva_metrics::test_support {

/// The allocations of one thread. Memory counts for the thread that allocates it or frees it.
struct Allocations {
    /// Number of allocations.
    int count = 0;
    /// Number of allocations that still succeed; negative for all.
    int allowed = -1;
    /// Number of allocations that fail after these; negative for all.
    int failing = -1;
    /// Number of allocations that failed.
    int failed = 0;
    /// The allocation that follows one of this size does not fail.
    std::size_t spared_after = 0;
    /// The size of the last one.
    std::size_t last_size = 0;
    /// Bytes in use, and the most that were since `peak` was set.
    std::ptrdiff_t bytes = 0;
    std::ptrdiff_t peak = 0;
};

/// Those of this thread, counted by the operators of this program.
inline thread_local constinit Allocations allocations;

} // namespace wva_metrics::test_support
