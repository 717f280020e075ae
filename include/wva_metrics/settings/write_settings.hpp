// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/settings/collector_settings.hpp"
#include "wva_metrics/settings/detail/json_text.hpp"
#include "wva_metrics/settings/detail/settings_fields.hpp"
#include "wva_metrics/settings/detail/write_value.hpp"
#include "wva_metrics/settings/secrets.hpp"

#include <string>

namespace wva_metrics {

/// Settings as a JSON document with every field, for people and for `read_settings`.
///
/// Secrets are masked unless they are asked for. A document with a masked secret is refused by
/// `read_settings`, which then names the fields that need their secrets back. Thread safety: any
/// thread.
inline std::string write_settings(CollectorSettings settings, Secrets secrets = Secrets::masked) {
    return detail::json_document_of(detail::write_fields(detail::fields_of(settings), secrets)) +
           '\n';
}

} // namespace wva_metrics
