// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/reading.hpp"

#include <chrono>
#include <string>

namespace wva_metrics::promql {

/// A range in PromQL's notation: whole seconds as `60s`, anything else in milliseconds as `1500ms`.
///
/// Rounded up to a millisecond, so that a positive range never becomes 0, which PromQL rejects.
inline std::string format_duration(Duration duration) {
    const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(duration).count();
    if (milliseconds % 1000 == 0)
        return std::to_string(milliseconds / 1000) + "s";
    return std::to_string(milliseconds) + "ms";
}

} // namespace wva_metrics::promql
