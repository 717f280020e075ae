// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/samples/view.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <string_view>

namespace wva_metrics::samples::detail {

/// The labels that a server writes to divide one of its metrics, but not to tell its engines apart.
inline constexpr std::array<std::string_view, 7> division_labels = {
    "cache_source", "finish_reason", "finished_reason", "is_streaming",
    "le",           "priority",      "quantile"};

/// The one of them that divides a gauge whose total is there too, without the label: SGLang writes it
/// with an empty value. A counter has the label in all of its series, and no total.
inline constexpr std::string_view part_label = "priority";

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
