// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/separate_compilation.hpp"
#include "wva_metrics/settings/collector_settings.hpp"
#include "wva_metrics/settings/settings_problem.hpp"

#include <vector>

namespace wva_metrics {

/// All problems of settings, each with its path in a document; empty if the settings are valid.
/// The messages are those of the structs' own `validate`.
///
/// Reads no file and contacts no server. `CollectorFactory` checks whether names are registered.
///
/// **Threads:** any thread.
WVA_METRICS_DECL std::vector<SettingsProblem> validate(const CollectorSettings& settings);

} // namespace wva_metrics

#ifndef WVA_METRICS_SEPARATE_COMPILATION
#include "wva_metrics/settings/impl/validate_settings.hpp"
#endif
