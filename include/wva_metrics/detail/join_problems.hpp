// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>

namespace wva_metrics::detail {

/// All problems of a configuration in one text, joined by "; ".
inline std::string join_problems(std::span<const std::string> problems) {
    std::string text;
    for (const std::string& problem : problems)
        text += (text.empty() ? "" : "; ") + problem;
    return text;
}

} // namespace wva_metrics::detail
