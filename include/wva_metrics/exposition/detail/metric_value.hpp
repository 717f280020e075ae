// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/exposition/detail/go_number.hpp"
#include "wva_metrics/exposition/native_histogram.hpp"
#include "wva_metrics/label_view.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace wva_metrics::exposition::detail {

/// One metric of a format that has a histogram or a summary in one value.
struct MetricValue {
    /// A classic bucket or a quantile.
    struct Part {
        double key = 0; ///< The upper bound, or the quantile.
        double value = 0;
    };

    std::vector<LabelView> labels{};
    std::optional<std::int64_t> timestamp_ms{};
    std::optional<std::int64_t> start_ms{};
    double value = 0; ///< Of a number; of a histogram or a summary the count.
    double sum = 0;
    std::vector<Part> parts{};
    bool is_native = false;
    NativeHistogram native{};
    /// The text of the part that is passed on. Beside the labels, because one of them refers to it.
    GoNumber part_text{0};
};

} // namespace wva_metrics::exposition::detail
