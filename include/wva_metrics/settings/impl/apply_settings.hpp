// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/settings/apply_settings.hpp"
#include "wva_metrics/settings/detail/settings_fields.hpp"
#include "wva_metrics/settings/detail/write_value.hpp"
#include "wva_metrics/settings/secrets.hpp"

#include <cstddef>
#include <vector>

namespace wva_metrics::detail {

WVA_METRICS_DECL AppliedSettings compare_settings(CollectorSettings current,
                                                  CollectorSettings wanted) {
    AppliedSettings result;
    const std::vector<Field> before = fields_of(current);
    const std::vector<Field> after = fields_of(wanted);
    for (std::size_t i = 0; i < before.size(); ++i) {
        if (write_value(before[i], Secrets::plain) == write_value(after[i], Secrets::plain))
            continue;
        const bool is_live =
            before[i].path.starts_with("collector.") || before[i].path.starts_with("tracked.");
        (is_live ? result.applied : result.needs_new_collector).push_back(before[i].path);
    }
    return result;
}

} // namespace wva_metrics::detail
