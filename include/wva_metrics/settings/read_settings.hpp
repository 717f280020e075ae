// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/separate_compilation.hpp"
#include "wva_metrics/settings/collector_settings.hpp"
#include "wva_metrics/settings/document_limits.hpp"
#include "wva_metrics/settings/settings_problem.hpp"

#include <string_view>
#include <vector>

namespace wva_metrics {

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
WVA_METRICS_DECL SettingsResult<CollectorSettings>
read_settings(std::string_view document, CollectorSettings defaults = {},
              const DocumentLimits& limits = {}, std::vector<SettingsProblem>* warnings = nullptr);

} // namespace wva_metrics

#ifndef WVA_METRICS_SEPARATE_COMPILATION
#include "wva_metrics/settings/impl/read_settings.hpp"
#endif
