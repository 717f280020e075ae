// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/settings/detail/json_text.hpp"
#include "wva_metrics/settings/detail/settings_fields.hpp"
#include "wva_metrics/settings/detail/write_value.hpp"
#include "wva_metrics/settings/write_settings.hpp"

#include <string>

namespace wva_metrics {

WVA_METRICS_DECL std::string write_settings(CollectorSettings settings, Secrets secrets) {
    return detail::json_document_of(detail::write_fields(detail::fields_of(settings), secrets)) +
           '\n';
}

} // namespace wva_metrics
