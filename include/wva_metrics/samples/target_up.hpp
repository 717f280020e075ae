// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/samples/sample.hpp"
#include "wva_metrics/samples/view.hpp"

#include <string>
#include <vector>

namespace wva_metrics::samples {

/// The `up` of a target of which no model has samples.
struct TargetUp {
    Labels labels{};               ///< Its labels, without the name.
    std::vector<Sample> samples{}; ///< See `View::up`; at least one.
    std::string pod{};             ///< See `View::pod`.
    std::string pod_label{};       ///< See `View::pod_label`.
    std::string address{};         ///< See `View::address`.
};

} // namespace wva_metrics::samples
