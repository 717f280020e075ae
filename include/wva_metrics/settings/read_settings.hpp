// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/settings/collector_settings.hpp"
#include "wva_metrics/settings/detail/json_document.hpp"
#include "wva_metrics/settings/detail/settings_fields.hpp"
#include "wva_metrics/settings/detail/settings_reader.hpp"
#include "wva_metrics/settings/document_limits.hpp"
#include "wva_metrics/settings/settings_problem.hpp"
#include "wva_metrics/settings/validate_settings.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics {

namespace detail {

/// Adds those of `more` that are about fields of which nothing is said yet: what has not been
/// understood keeps its default, and need not be complained about twice.
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

inline SettingsProblems bounded(std::vector<SettingsProblem> problems,
                                const DocumentLimits& limits) {
    if (problems.size() > limits.max_problems) {
        const std::size_t more = problems.size() - limits.max_problems;
        problems.resize(limits.max_problems);
        problems.push_back({"", "and " + std::to_string(more) + " more"});
    }
    return {std::move(problems)};
}

} // namespace detail

/// Reads a JSON document of settings.
///
/// Params: the text; what holds where the document says nothing (a list that it names is replaced
/// as a whole); bounds.
/// Errors: all of them at once, each with its path: text that is not JSON (with line and column),
/// unknown fields (with the nearest known name), fields that are there twice, wrong types, values
/// that make no sense. No message holds a secret.
/// Thread safety: any thread.
inline SettingsResult<CollectorSettings> read_settings(std::string_view document,
                                                       CollectorSettings defaults = {},
                                                       const DocumentLimits& limits = {}) {
    std::vector<SettingsProblem> problems;
    const std::optional<boost::json::object> object =
        detail::parse_document(document, limits, problems);
    if (object) {
        detail::SettingsReader(problems).read(*object, detail::fields_of(defaults));
        detail::add_new_problems(problems, validate(defaults));
    }
    if (!problems.empty())
        return detail::bounded(std::move(problems), limits);
    return defaults;
}

} // namespace wva_metrics
