// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/settings/collector_settings.hpp"
#include "wva_metrics/settings/detail/json_text.hpp"
#include "wva_metrics/settings/detail/settings_fields.hpp"
#include "wva_metrics/settings/detail/write_value.hpp"
#include "wva_metrics/settings/secrets.hpp"

#include <string>

namespace wva_metrics {

/// Writes settings as a JSON document with all fields.
///
/// By default secrets are masked. `read_settings` rejects a document with masked secrets and names
/// their fields.
///
/// **Threads:** any thread.
inline std::string write_settings(CollectorSettings settings, Secrets secrets = Secrets::masked) {
    return detail::json_document_of(detail::write_fields(detail::fields_of(settings), secrets)) +
           '\n';
}

} // namespace wva_metrics
