// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/workload.hpp"

#include <string_view>

namespace wva_metrics {

/// Whether two variants of one model scale the same workload: same name and same kind. No kind is
/// the default kind.
inline bool is_same_workload(const VariantAutoscaling& a, const VariantAutoscaling& b) noexcept {
    const auto kind = [](const VariantAutoscaling& variant) {
        return variant.target_kind.empty() ? default_target_kind
                                           : std::string_view(variant.target_kind);
    };
    return a.deployment == b.deployment && kind(a) == kind(b);
}

} // namespace wva_metrics
