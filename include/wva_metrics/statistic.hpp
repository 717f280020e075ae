// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

namespace wva_metrics {

/// What a reading's number is of the samples in its window.
enum class Statistic : std::uint8_t {
    /// The backend does not say.
    unspecified,
    /// The last sample: what was true when the server was last scraped.
    last_sample,
    /// The highest sample of the window. It stays until the window has passed, also if the load has
    /// long fallen; the last sample stands beside it.
    peak,
    /// A counter's increase per unit of time, over the window.
    rate,
    /// The sum of what was measured in the window, divided by how often it was measured.
    average,
    /// The value that a share of what was measured in the window does not exceed, estimated from
    /// the buckets of a histogram.
    quantile,
    /// How much a counter grew in the window.
    count,
};

/// The enumerator's name.
constexpr std::string_view to_string(Statistic statistic) noexcept {
    switch (statistic) {
    case Statistic::unspecified:
        return "unspecified";
    case Statistic::last_sample:
        return "last_sample";
    case Statistic::peak:
        return "peak";
    case Statistic::rate:
        return "rate";
    case Statistic::average:
        return "average";
    case Statistic::quantile:
        return "quantile";
    case Statistic::count:
        return "count";
    }
    return "unknown";
}

} // namespace wva_metrics
