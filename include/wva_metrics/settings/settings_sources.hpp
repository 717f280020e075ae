// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <string>

namespace wva_metrics {

/// The source of each field of the settings, by its path: `document`, or the name of an environment
/// variable. A field that is not in the map has its default value.
using SettingsSources = std::map<std::string, std::string, std::less<>>;

} // namespace wva_metrics
