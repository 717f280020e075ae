// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/samples/liveness.hpp"
#include "wva_metrics/samples/sample_rules.hpp"
#include "wva_metrics/samples/view.hpp"
#include "wva_metrics/samples/window.hpp"

#include <algorithm>
#include <cstddef>
#include <span>
#include <tuple>

namespace wva_metrics::samples {

/// The copy of a process by which its signals are measured, except those that only others have: one
/// that lives, that has a rate, that has most metrics, that is newest; in this order. Copies are never
/// merged, because their samples are of different times.
inline const View& choose_copy(std::span<const View* const> copies, ServerTime now,
                               const SampleRules& rules) {
    const auto merit = [&](const View* copy) {
        std::size_t metrics = 0;
        for (std::size_t i = 0; i < copy->series.size(); ++i)
            if (i == 0 || copy->series[i].metric != copy->series[i - 1].metric)
                ++metrics;
        return std::tuple(!is_lost(*copy, now, rules),
                          times_within(copy->times, now - rules.window, now).size() >= 2, metrics,
                          copy->last());
    };
    return **std::ranges::max_element(copies, {}, merit);
}

} // namespace wva_metrics::samples
