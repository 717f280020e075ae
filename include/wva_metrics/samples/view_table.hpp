// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/engine/engine_profile.hpp"
#include "wva_metrics/samples/metric_set.hpp"
#include "wva_metrics/samples/sample.hpp"
#include "wva_metrics/samples/sample_rules.hpp"
#include "wva_metrics/samples/view.hpp"

#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace wva_metrics::samples {

/// The `up` of one target.
struct TargetUp {
    Labels labels{};               ///< Its labels, without the name.
    std::vector<Sample> samples{}; ///< In ascending order of time, at least one.
    std::string pod{};             ///< See `View::pod`.
    std::string pod_label{};       ///< See `View::pod_label`.
    std::string address{};         ///< See `View::address`.
};

/// Sorts the series of one answer into views, by model.
class ViewTable {
public:
    ViewTable(const MetricSet&, const EngineLabels&, const SampleRules&) {}
    void set_nan_ends_series(bool) {}
    void add(std::optional<std::size_t>, std::span<const LabelView>, std::span<const Sample>) {}
    void add_living(std::size_t, std::span<const LabelView>) {}
    void set_living_known() {}
    std::vector<TargetUp> unmatched_up() const { return {}; }
    std::map<std::size_t, std::vector<View>> take() && { return {}; }
};

} // namespace wva_metrics::samples
