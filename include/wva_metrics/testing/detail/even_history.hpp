// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/testing/detail/promql/series_store.hpp"

#include <algorithm>
#include <chrono>
#include <stdexcept>

namespace wva_metrics::testing::detail {

/// Samples at `end` and every `interval` before it, at most `since` ago, in ascending order of
/// time. `value_at` gets how long before `end` a sample is.
///
/// Throws std::invalid_argument if the interval is not positive.
template <typename ValueAt>
SeriesStore::Samples even_history(Milliseconds end, std::chrono::milliseconds since,
                                  std::chrono::milliseconds interval, ValueAt&& value_at) {
    if (interval <= std::chrono::milliseconds::zero())
        throw std::invalid_argument("the interval of a history must be positive");
    SeriesStore::Samples samples;
    for (std::chrono::milliseconds ago{0}; ago <= since; ago += interval)
        samples.push_back({end - ago.count(), value_at(ago)});
    std::reverse(samples.begin(), samples.end());
    return samples;
}

} // namespace wva_metrics::testing::detail
