// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/samples/sample.hpp"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <optional>
#include <vector>

namespace wva_metrics::samples::detail {

/// The lower median of the time between two elements: a missed scrape does not change it. Empty if
/// there are fewer than two. `time_of` gives an element's time; the times ascend.
template <typename Range, typename TimeOf = std::identity>
std::optional<ServerDuration> median_spacing(const Range& elements, TimeOf time_of = {}) {
    std::vector<ServerDuration> gaps;
    for (std::size_t i = 1; i < elements.size(); ++i)
        gaps.push_back(std::invoke(time_of, elements[i]) - std::invoke(time_of, elements[i - 1]));
    if (gaps.empty())
        return std::nullopt;
    const auto middle = gaps.begin() + static_cast<std::ptrdiff_t>((gaps.size() - 1) / 2);
    std::nth_element(gaps.begin(), middle, gaps.end());
    return *middle;
}

} // namespace wva_metrics::samples::detail
