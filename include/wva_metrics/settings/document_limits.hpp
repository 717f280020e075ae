// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace wva_metrics {

/// Limits for a JSON document of settings.
struct DocumentLimits {
    /// Size of the text, in bytes.
    std::size_t max_bytes = std::size_t{1} << 20;
    /// Nesting of objects and arrays.
    std::size_t max_depth = 16;
    /// Problems, and warnings, that are reported in words; only the number of the others is
    /// reported.
    std::size_t max_problems = 64;
};

} // namespace wva_metrics
