// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/settings/detail/json_document.hpp"
#include "wva_metrics/settings/detail/json_text.hpp"
#include "wva_metrics/settings/detail/problem_list.hpp"
#include "wva_metrics/settings/detail/read_environment.hpp"
#include "wva_metrics/settings/detail/settings_fields.hpp"
#include "wva_metrics/settings/detail/settings_reader.hpp"
#include "wva_metrics/settings/detail/write_value.hpp"
#include "wva_metrics/settings/load_settings.hpp"
#include "wva_metrics/settings/secrets.hpp"
#include "wva_metrics/settings/validate_settings.hpp"

#include <boost/json/object.hpp>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics {

WVA_METRICS_DECL SettingsResult<LoadedSettings> load_settings(std::string_view document,
                                                              const Environment& environment,
                                                              const DocumentLimits& limits) {
    LoadedSettings loaded;
    std::vector<SettingsProblem> document_problems;
    bool is_read = true;
    if (!document.empty()) {
        const std::optional<boost::json::object> object =
            detail::parse_document(document, limits, document_problems);
        is_read = object.has_value();
        if (object) {
            detail::SettingsReader reader(document_problems, &loaded.warnings, limits);
            for (std::string& path : reader.read(*object, detail::fields_of(loaded.settings)))
                loaded.sources.emplace(std::move(path), "document");
            loaded.warnings = detail::bounded(std::move(loaded.warnings), limits);
        }
    }
    std::vector<SettingsProblem> problems;
    detail::read_environment(environment, loaded.settings, loaded.sources, problems);
    detail::read_proxy_environment(environment, loaded.settings, loaded.sources, problems);
    // If the document cannot be read, the settings are incomplete and there is no point
    // in validating them.
    if (is_read) {
        // Only these may be about a variable's value: what the reader has found is in the document.
        std::vector<SettingsProblem> invalid = validate(loaded.settings);
        for (SettingsProblem& problem : invalid) {
            // A variable may have several items, so a problem of one also has its place.
            const std::size_t item = std::min(problem.path.find('['), problem.path.size());
            const auto source = loaded.sources.find(problem.path.substr(0, item));
            if (source != loaded.sources.end() && source->second != "document")
                problem.path = item == problem.path.size()
                                   ? source->second
                                   : source->second + " (" + problem.path + ")";
        }
        detail::add_new_problems(document_problems, std::move(invalid));
    }
    detail::add_new_problems(problems, std::move(document_problems));
    if (!problems.empty())
        return SettingsProblems{detail::bounded(std::move(problems), limits)};
    return loaded;
}

WVA_METRICS_DECL SettingsResult<LoadedSettings>
load_settings_file(const std::filesystem::path& file, const Environment& environment,
                   const DocumentLimits& limits) {
    const auto reject = [&](const std::string& reason) {
        return SettingsProblems{
            detail::bounded({{"", "the settings file " + file.string() + " " + reason}}, limits)};
    };
    std::error_code failure;
    // Opening a FIFO or a device could block forever.
    if (!std::filesystem::is_regular_file(file, failure))
        return reject("does not exist or is not a regular file");
    std::ifstream stream(file, std::ios::binary);
    std::string text(limits.max_bytes + 1, '\0');
    stream.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (!stream.is_open() || stream.bad())
        return reject("cannot be read");
    text.resize(static_cast<std::size_t>(stream.gcount()));
    if (text.empty())
        return reject("is empty; the smallest valid document is {}");
    return load_settings(text, environment, limits);
}

WVA_METRICS_DECL std::string describe(LoadedSettings loaded) {
    std::string text;
    for (const detail::Field& field : detail::fields_of(loaded.settings)) {
        const auto source = loaded.sources.find(field.path);
        text += field.path + " = " +
                detail::json_text_of(detail::write_value(field, Secrets::masked)) + "  (" +
                (source == loaded.sources.end() ? "default" : source->second) + ")\n";
    }
    return text;
}

} // namespace wva_metrics
