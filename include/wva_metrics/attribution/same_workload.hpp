// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/workload.hpp"

#include <string_view>

namespace wva_metrics {

/// The kind of a workload: the default one if none is given. A view of its argument.
inline std::string_view kind_or_default(std::string_view target_kind) noexcept {
    return target_kind.empty() ? default_target_kind : target_kind;
}

/// Whether two variants of one model scale the same workload: same name and same kind. No kind is
/// the default kind.
inline bool is_same_workload(const VariantAutoscaling& a, const VariantAutoscaling& b) noexcept {
    return a.deployment == b.deployment &&
           kind_or_default(a.target_kind) == kind_or_default(b.target_kind);
}

} // namespace wva_metrics
