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
    /// The place of no name.
    static constexpr std::size_t no_name = static_cast<std::size_t>(-1);

    explicit SignalMetrics(const EngineProfile& profile) {
        for (const SignalInfo& info : signals)
            for (const std::string& metric : profile[info.signal])
                names_[index_of(info.signal)].emplace_back(metric);
    }

    /// A name by its place in the profile; none if the signal is not provided.
    MetricName name(Signal signal, std::size_t alias) const noexcept {
        const std::vector<MetricName>& names = names_[index_of(signal)];
        return alias < names.size() ? names[alias] : MetricName();
    }

    /// False if the server publishes nothing for the signal.
    bool provides(Signal signal) const noexcept { return !names_[index_of(signal)].empty(); }

private:
    std::array<std::vector<MetricName>, signals.size()> names_;
};

} // namespace wva_metrics::detail
