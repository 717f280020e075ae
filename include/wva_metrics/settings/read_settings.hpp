// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/settings/collector_settings.hpp"
#include "wva_metrics/settings/detail/json_document.hpp"
#include "wva_metrics/settings/detail/settings_fields.hpp"
#include "wva_metrics/settings/detail/settings_reader.hpp"
#include "wva_metrics/settings/document_limits.hpp"
#include "wva_metrics/settings/settings_problem.hpp"
#include "wva_metrics/settings/validate_settings.hpp"

#include <boost/json/object.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics {

namespace detail {

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

} // namespace detail

/// Reads settings from a JSON document.
///
/// **Parameters:**
/// - `document`: the text.
/// - `defaults`: the values of the fields that the document does not contain. A list in the
///   document replaces the whole list.
/// - `limits`: bound the document and the number of problems.
/// - `warnings`: where to append warnings, for example that a field has a deprecated name; or null.
///
/// **Errors:** all problems together, each with its path: invalid JSON (with line and column),
/// unknown fields (with the nearest known name), duplicate fields, wrong types, invalid values. No
/// message contains a secret.
///
/// **Threads:** any thread.
inline SettingsResult<CollectorSettings>
read_settings(std::string_view document, CollectorSettings defaults = {},
              const DocumentLimits& limits = {}, std::vector<SettingsProblem>* warnings = nullptr) {
    std::vector<SettingsProblem> problems;
    std::vector<SettingsProblem> found_warnings;
    const std::optional<boost::json::object> object =
        detail::parse_document(document, limits, problems);
    if (object) {
        detail::SettingsReader(problems, &found_warnings)
            .read(*object, detail::fields_of(defaults));
        detail::add_new_problems(problems, validate(defaults));
    }
    if (warnings != nullptr)
        for (SettingsProblem& warning : detail::bounded(std::move(found_warnings), limits))
            warnings->push_back(std::move(warning));
    if (!problems.empty())
        return SettingsProblems{detail::bounded(std::move(problems), limits)};
    return defaults;
}

} // namespace wva_metrics
