// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>

namespace wva_metrics::promql {

/// How large an answer may become.
struct AnswerBounds {
    /// Series.
    std::size_t max_series = std::numeric_limits<std::size_t>::max();
    /// Bytes of the body, decompressed.
    std::size_t max_bytes = std::numeric_limits<std::size_t>::max();
};

/// How large earlier answers were for each member of their chunk: a model or a namespace.
struct Density {
    /// Series per member; 0 = not known yet.
    double series = 0;
    /// Bytes of the body per member, decompressed; 0 = not known yet.
    double bytes = 0;
};

/// The densities of the two kinds of chunks.
struct PlanDensity {
    Density models{};     ///< In answers about models.
    Density namespaces{}; ///< In answers of kube-state-metrics.
};

/// How many members a chunk may have: their answer is expected to fill at most half of the bounds,
/// because some members have many more series than others. At least 1; unlimited if the density is
/// not known.
constexpr std::size_t max_members(const Density& density, const AnswerBounds& bounds) noexcept {
    constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();
    const auto fit = [](double per_member, std::size_t bound) {
        const double members = static_cast<double>(bound) / 2 / per_member;
        if (!(per_member > 0) || members >= static_cast<double>(unlimited))
            return unlimited;
        return std::max<std::size_t>(static_cast<std::size_t>(members), 1);
    };
    return std::min(fit(density.series, bounds.max_series), fit(density.bytes, bounds.max_bytes));
}

} // namespace wva_metrics::promql
