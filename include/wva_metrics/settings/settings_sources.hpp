// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <string>

namespace wva_metrics {

/// Who said what each field of settings is, by the field's path: `document`, or the name of an
/// environment variable. What is not in it has its default value.
using SettingsSources = std::map<std::string, std::string, std::less<>>;

} // namespace wva_metrics
