// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/samples/sample.hpp"
#include "wva_metrics/samples/sample_rules.hpp"
#include "wva_metrics/samples/view.hpp"
#include "wva_metrics/samples/view_table.hpp"

#include <cstddef>
#include <map>
#include <span>
#include <vector>

namespace wva_metrics::samples {

inline ServerTime reference_time(ServerTime evaluated,
                                 const std::map<std::size_t, std::vector<View>>&,
                                 std::span<const TargetUp>, const SampleRules&) {
    return evaluated;
}

} // namespace wva_metrics::samples
