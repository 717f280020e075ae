// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/samples/sample.hpp"

#include <cstdint>
#include <string>

namespace wva_metrics::prometheus::detail {

/// A time as the API takes it: Unix seconds with three decimals, e.g. `1700000000.123`.
inline std::string format_time(samples::ServerTime time) {
    const std::int64_t count = time.time_since_epoch().count();
    // Unsigned, because the smallest number has no positive counterpart.
    const auto distance = count < 0 ? std::uint64_t{0} - static_cast<std::uint64_t>(count)
                                    : static_cast<std::uint64_t>(count);
    std::string decimals = std::to_string(distance % 1000);
    decimals.insert(0, 3 - decimals.size(), '0');
    return (count < 0 ? "-" : "") + std::to_string(distance / 1000) + "." + decimals;
}

} // namespace wva_metrics::prometheus::detail
