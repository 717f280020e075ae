// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/prometheus/answer.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace wva_metrics::test_support {

/// Calls `use` with a series of one sample. Its labels have these names and values; an empty value
/// leaves the label out.
template <typename Use>
void with_series(std::span<const std::string> names, std::span<const std::string_view> values,
                 double value, Use&& use) {
    std::vector<samples::LabelView> labels;
    for (std::size_t i = 0; i < values.size(); ++i)
        if (!values[i].empty())
            labels.push_back({names[i], values[i]});
    const std::array sample = {
        samples::Sample{samples::ServerTime(std::chrono::seconds(1'700'000'000)), value}};
    use(prometheus::SeriesView{.labels = labels, .samples = sample});
}

} // namespace wva_metrics::test_support
