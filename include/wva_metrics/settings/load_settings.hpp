// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/settings/collector_settings.hpp"
#include "wva_metrics/settings/detail/json_document.hpp"
#include "wva_metrics/settings/detail/json_text.hpp"
#include "wva_metrics/settings/detail/settings_fields.hpp"
#include "wva_metrics/settings/detail/settings_reader.hpp"
#include "wva_metrics/settings/detail/write_value.hpp"
#include "wva_metrics/settings/document_limits.hpp"
#include "wva_metrics/settings/environment.hpp"
#include "wva_metrics/settings/read_settings.hpp"
#include "wva_metrics/settings/secrets.hpp"
#include "wva_metrics/settings/settings_problem.hpp"
#include "wva_metrics/settings/settings_sources.hpp"
#include "wva_metrics/settings/validate_settings.hpp"

#include <boost/json/object.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics {

/// Settings, and who said what they are.
struct LoadedSettings {
    /// Sound, as far as that can be told without asking anybody.
    CollectorSettings settings;
    /// Who said so; what is not in it is a default.
    SettingsSources sources;
};

/// Settings from a JSON document and the environment: what the environment says goes before what
/// the document says, and that before the defaults.
///
/// Params: the document's text, empty where there is none; the environment; bounds.
/// Errors: all of them at once, each with the field's path, or the variable that set the field. No
/// message holds a secret.
/// Thread safety: any thread.
inline SettingsResult<LoadedSettings>
load_settings(std::string_view document, const Environment& environment = process_environment(),
              const DocumentLimits& limits = {}) {
    LoadedSettings loaded;
    std::vector<SettingsProblem> problems;
    bool is_read = true;
    if (!document.empty()) {
        const std::optional<boost::json::object> object =
            detail::parse_document(document, limits, problems);
        is_read = object.has_value();
        if (object) {
            detail::SettingsReader reader(problems);
            for (std::string& path : reader.read(*object, detail::fields_of(loaded.settings)))
                loaded.sources.emplace(std::move(path), "document");
        }
    }
    std::vector<SettingsProblem> said;
    detail::read_environment(environment, loaded.settings, loaded.sources, said);
    // A document that cannot be read at all leaves nothing to judge.
    if (is_read) {
        std::vector<SettingsProblem> unsound = validate(loaded.settings);
        detail::add_new_problems(problems, unsound);
        for (SettingsProblem& problem : problems) {
            const auto source = loaded.sources.find(problem.path);
            if (source == loaded.sources.end() || source->second == "document")
                continue;
            problem.path = source->second;
        }
    }
    detail::add_new_problems(said, std::move(problems));
    if (!said.empty())
        return detail::bounded(std::move(said), limits);
    return loaded;
}

/// As `load_settings`, with the document in a file. A file that is missing, cannot be read or
/// exceeds `limits.max_bytes` is a problem that names it.
inline SettingsResult<LoadedSettings>
load_settings_file(const std::filesystem::path& file,
                   const Environment& environment = process_environment(),
                   const DocumentLimits& limits = {}) {
    const auto refuse = [&](const std::string& why) {
        return SettingsProblems{{{"", "the settings file " + file.string() + " " + why}}};
    };
    std::error_code failure;
    // Opening a FIFO or a device could block for ever.
    if (!std::filesystem::is_regular_file(file, failure))
        return refuse("does not exist or is no regular file");
    std::ifstream stream(file, std::ios::binary);
    std::string text(limits.max_bytes + 1, '\0');
    stream.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (!stream.is_open() || stream.bad())
        return refuse("cannot be read");
    text.resize(static_cast<std::size_t>(stream.gcount()));
    if (text.empty())
        return refuse("is empty; {} says nothing, too");
    return load_settings(text, environment, limits);
}

/// Every field, its value and who said so, a line each, for people and logs; secrets are `***`:
/// `collector.cache.ttl = "10s"  (PROMETHEUS_METRICS_CACHE_TTL)`.
inline std::string describe(LoadedSettings loaded) {
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
