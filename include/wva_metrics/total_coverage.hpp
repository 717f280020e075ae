// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics {

/// What a total is the total of: how many pods were seen, how many of them it counts, and which ones
/// it lacks. By default nothing is known: no pod was seen.
struct TotalCoverage {
    /// At most this many pods are named.
    static constexpr std::size_t max_named = 10;

    /// Pods that live, and pods that ended within the window and are counted.
    std::size_t seen = 0;
    /// Those whose value is in the total; never more than `seen`.
    std::size_t counted = 0;
    /// The pods that live but have no usable value: the first `max_named` of them, sorted by name.
    std::vector<std::string> missing{};

    /// How many pods the total lacks; it may be more than are named.
    std::size_t lacking() const noexcept { return seen - std::min(seen, counted); }
    /// True if the total lacks no pod that was seen.
    bool is_whole() const noexcept { return lacking() == 0; }

    friend bool operator==(const TotalCoverage&, const TotalCoverage&) = default;
};

/// The coverage of a total that counts `counted` pods and lacks the pods in `missing`, in any order.
inline TotalCoverage cover(std::size_t counted, std::vector<std::string> missing) {
    TotalCoverage coverage;
    coverage.seen = counted + missing.size();
    coverage.counted = counted;
    std::sort(missing.begin(), missing.end());
    missing.resize(std::min(missing.size(), TotalCoverage::max_named));
    missing.shrink_to_fit();
    coverage.missing = std::move(missing);
    return coverage;
}

} // namespace wva_metrics
