// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace wva_metrics {

/// How much a JSON document of settings may be.
struct DocumentLimits {
    /// Its text, in bytes.
    std::size_t max_bytes = std::size_t{1} << 20;
    /// Objects and arrays within each other.
    std::size_t max_depth = 16;
    /// Problems that are told one by one; of the others only how many there are.
    std::size_t max_problems = 100;
};

} // namespace wva_metrics
