// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/samples/metric_set.hpp"
#include "wva_metrics/samples/process.hpp"
#include "wva_metrics/samples/sample_rules.hpp"
#include "wva_metrics/samples/view.hpp"

#include <span>

namespace wva_metrics::samples {

inline ModelProcesses find_processes(std::span<const View>, const MetricSet&, const SampleRules&,
                                     ServerTime) {
    return {};
}

} // namespace wva_metrics::samples
