// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/samples/view.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <string_view>

namespace wva_metrics::samples::detail {

/// The labels that a server writes to divide one of its metrics, but not to tell its engines apart.
inline constexpr std::array<std::string_view, 3> division_labels = {"finished_reason", "le",
                                                                    "quantile"};

/// True for a label in `division_labels`.
inline bool is_division_label(std::string_view name) noexcept {
    return std::ranges::find(division_labels, name) != division_labels.end();
}

/// Which engine of its server wrote a series: its server labels without those that divide a metric.
inline Labels engine_of(const Labels& server_labels) {
    Labels engine;
    std::ranges::copy_if(server_labels, std::back_inserter(engine),
                         [](const auto& label) { return !is_division_label(label.first); });
    return engine;
}

} // namespace wva_metrics::samples::detail
