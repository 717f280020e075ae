// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/clean_text.hpp"
#include "wva_metrics/settings/document_limits.hpp"
#include "wva_metrics/settings/settings_problem.hpp"

#include <cstddef>
#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics::detail {

/// Appends the problems of fields that have none yet. A field with an invalid value keeps its
/// default, so a second problem of it would only be about the default.
inline void add_new_problems(std::vector<SettingsProblem>& problems,
                             std::vector<SettingsProblem> more) {
    std::set<std::string, std::less<>> known;
    for (const SettingsProblem& problem : problems)
        known.insert(problem.path);
    const auto has_one_inside = [&](const std::string& outer) {
        const auto inner = known.lower_bound(outer);
        return inner != known.end() && inner->starts_with(outer);
    };
    for (SettingsProblem& problem : more) {
        const std::string& path = problem.path;
        if (!known.contains(path) && !has_one_inside(path + '.') && !has_one_inside(path + '['))
            problems.push_back(std::move(problem));
    }
}

/// Replaces the problems above `max_problems` by their number, and makes all texts fit for people:
/// names in a document, and values that a problem quotes, may have any length and characters.
inline std::vector<SettingsProblem> bounded(std::vector<SettingsProblem> problems,
                                            const DocumentLimits& limits) {
    if (problems.size() > limits.max_problems) {
        const std::size_t more = problems.size() - limits.max_problems;
        problems.resize(limits.max_problems);
        problems.push_back({"", "and " + std::to_string(more) + " more"});
    }
    constexpr std::size_t max_path_bytes = 300;
    constexpr std::size_t max_message_bytes = 1000;
    for (SettingsProblem& problem : problems) {
        problem.path = clean_text(problem.path, max_path_bytes);
        problem.message = clean_text(problem.message, max_message_bytes);
    }
    return problems;
}

} // namespace wva_metrics::detail
