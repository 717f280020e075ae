// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/separate_compilation.hpp"
#include "wva_metrics/settings/collector_settings.hpp"
#include "wva_metrics/settings/secrets.hpp"

#include <string>

namespace wva_metrics {

/// Writes settings as a JSON document with all fields.
///
/// By default secrets are masked. `read_settings` rejects a document with masked secrets and names
/// their fields.
///
/// **Threads:** any thread.
WVA_METRICS_DECL std::string write_settings(CollectorSettings settings,
                                            Secrets secrets = Secrets::masked);

} // namespace wva_metrics

#ifndef WVA_METRICS_SEPARATE_COMPILATION
#include "wva_metrics/settings/impl/write_settings.hpp"
#endif
