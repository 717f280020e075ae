// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/settings/detail/json_document.hpp"
#include "wva_metrics/settings/detail/problem_list.hpp"
#include "wva_metrics/settings/detail/settings_fields.hpp"
#include "wva_metrics/settings/detail/settings_reader.hpp"
#include "wva_metrics/settings/read_settings.hpp"
#include "wva_metrics/settings/validate_settings.hpp"

#include <boost/json/object.hpp>

#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics {

WVA_METRICS_DECL SettingsResult<CollectorSettings>
read_settings(std::string_view document, CollectorSettings defaults, const DocumentLimits& limits,
              std::vector<SettingsProblem>* warnings) {
    std::vector<SettingsProblem> problems;
    std::vector<SettingsProblem> found_warnings;
    const std::optional<boost::json::object> object =
        detail::parse_document(document, limits, problems);
    if (object) {
        detail::SettingsReader(problems, &found_warnings, limits)
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
