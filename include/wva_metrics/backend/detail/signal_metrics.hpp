// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/engine/engine_profile.hpp"
#include "wva_metrics/reading.hpp"
#include "wva_metrics/signal.hpp"

#include <array>
#include <cstddef>
#include <string>
#include <vector>

namespace wva_metrics::detail {

/// The metric names of an engine profile by signal, as readings have them.
class SignalMetrics {
public:
    explicit SignalMetrics(const EngineProfile& profile) {
        for (const Signal signal : all_signals)
            for (const std::string& metric : profile[signal])
                names_[index_of(signal)].emplace_back(metric);
    }

    /// A name by its place in the profile.
    MetricName name(Signal signal, std::size_t alias) const noexcept {
        return names_[index_of(signal)][alias];
    }

private:
    std::array<std::vector<MetricName>, signals.size()> names_;
};

} // namespace wva_metrics::detail
