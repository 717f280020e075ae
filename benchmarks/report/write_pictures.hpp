// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bar_chart.hpp"
#include "draw.hpp"
#include "write_file.hpp"

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace bench::report {

/// Writes `<name>.svg`, and `<name>_2.svg` and so on if the chart is too tall for one picture.
/// Writes nothing if there is nothing to see.
inline void write_pictures(const std::filesystem::path& folder, const std::string& name,
                           const BarChart& chart) {
    if (!has_visible_bar(chart))
        return;
    const std::vector<BarChart> pages = pages_of(chart);
    for (std::size_t i = 0; i < pages.size(); ++i)
        write_file(folder / (name + (i == 0 ? "" : '_' + std::to_string(i + 1)) + ".svg"),
                   draw(pages[i]));
}

} // namespace bench::report
