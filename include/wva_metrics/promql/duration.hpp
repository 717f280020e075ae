// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/reading.hpp"

#include <chrono>
#include <string>

namespace wva_metrics::promql {

/// A range as PromQL writes it: whole seconds as `60s`, anything else in milliseconds, `1500ms`.
///
/// What is finer than a millisecond is rounded up, so that no positive range becomes an empty one,
/// which PromQL refuses.
inline std::string format_duration(Duration duration) {
    const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(duration).count();
    if (milliseconds % 1000 == 0)
        return std::to_string(milliseconds / 1000) + "s";
    return std::to_string(milliseconds) + "ms";
}

} // namespace wva_metrics::promql
