// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/exposition/conformance_checker.hpp"
#include "wva_metrics/exposition/page_problem.hpp"
#include "wva_metrics/exposition/text_format.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace wva_metrics::exposition {

/// `LINE:COLUMN: message` of a page that does not conform; empty for one that does.
inline std::string strict_problem(std::string_view page,
                                  TextFormat format = TextFormat::open_metrics_1_0) {
    const std::optional<PageProblem> problem = find_problem(page, format);
    return !problem ? ""
                    : std::to_string(problem->line) + ":" + std::to_string(problem->column) + ": " +
                          problem->message;
}

/// A page that must be refused, and where and why.
struct RefusedPage {
    std::string_view page;
    std::string_view problem; ///< Of a page of OpenMetrics without its `# EOF`.
};

} // namespace wva_metrics::exposition
