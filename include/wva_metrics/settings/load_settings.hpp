// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/separate_compilation.hpp"
#include "wva_metrics/settings/collector_settings.hpp"
#include "wva_metrics/settings/document_limits.hpp"
#include "wva_metrics/settings/environment.hpp"
#include "wva_metrics/settings/settings_problem.hpp"
#include "wva_metrics/settings/settings_sources.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace wva_metrics {

/// The result of `load_settings`.
struct LoadedSettings {
    /// Validated, without contacting any server.
    CollectorSettings settings;
    /// The source of each field; a field without one has its default value.
    SettingsSources sources;
    /// For example that a field has a deprecated name.
    std::vector<SettingsProblem> warnings;
};

/// Loads settings from a JSON document and the environment. The environment overrides the document,
/// and the document overrides the defaults.
///
/// **Parameters:**
/// - `document`: the text; empty if there is no document.
/// - `environment`: returns the values of environment variables.
/// - `limits`: bound the document and the number of problems.
///
/// **Errors:** all problems together, each with the path of the field or the variable that set it.
/// No message contains a secret.
///
/// **Threads:** any thread.
WVA_METRICS_DECL SettingsResult<LoadedSettings>
load_settings(std::string_view document, const Environment& environment = process_environment(),
              const DocumentLimits& limits = {});

/// Like `load_settings`, with the document in a file.
///
/// **Parameters:**
/// - `file`: the path of a regular file.
/// - `environment`, `limits`: as for `load_settings`.
///
/// **Errors:** those of `load_settings`, or one problem that names the file: it does not exist, is
/// not a regular file, cannot be read, or is empty.
///
/// **Threads:** any thread.
WVA_METRICS_DECL SettingsResult<LoadedSettings>
load_settings_file(const std::filesystem::path& file,
                   const Environment& environment = process_environment(),
                   const DocumentLimits& limits = {});

/// One line for each field with its value and source, for output and logs; secrets are `***`:
/// `collector.cache.ttl = "10s"  (PROMETHEUS_METRICS_CACHE_TTL)`.
WVA_METRICS_DECL std::string describe(LoadedSettings loaded);

} // namespace wva_metrics

#ifndef WVA_METRICS_SEPARATE_COMPILATION
#include "wva_metrics/settings/impl/load_settings.hpp"
#endif
