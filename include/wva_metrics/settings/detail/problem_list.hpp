// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/settings/document_limits.hpp"
#include "wva_metrics/settings/settings_problem.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics::detail {

/// Appends the problems of fields that have none yet. A field with an invalid value keeps its
/// default, so a second problem of it would only be about the default.
inline void add_new_problems(std::vector<SettingsProblem>& problems,
                             std::vector<SettingsProblem> more) {
    const std::size_t known = problems.size();
    const auto is_inside = [](std::string_view inner, std::string_view outer) {
        return inner.starts_with(outer) &&
               (inner.size() == outer.size() || inner[outer.size()] == '.' ||
                inner[outer.size()] == '[');
    };
    for (SettingsProblem& problem : more) {
        bool is_new = true;
        for (std::size_t i = 0; i < known; ++i)
            is_new = is_new && !is_inside(problems[i].path, problem.path);
        if (is_new)
            problems.push_back(std::move(problem));
    }
}

/// Replaces the problems above `max_problems` by their number.
inline std::vector<SettingsProblem> bounded(std::vector<SettingsProblem> problems,
                                            const DocumentLimits& limits) {
    if (problems.size() > limits.max_problems) {
        const std::size_t more = problems.size() - limits.max_problems;
        problems.resize(limits.max_problems);
        problems.push_back({"", "and " + std::to_string(more) + " more"});
    }
    return problems;
}

} // namespace wva_metrics::detail
