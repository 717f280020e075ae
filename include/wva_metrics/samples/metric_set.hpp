// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/engine/engine_profile.hpp"
#include "wva_metrics/signal.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace wva_metrics::samples {

/// The number of an exposed metric in a `MetricSet`.
using MetricId = std::uint16_t;

/// The metrics from which one signal is computed, under one of its names.
struct SignalSource {
    /// The gauge or counter; for an average, the `_count` of the histogram.
    MetricId metric = 0;
    /// For an average, the `_sum` of the histogram; else the same as `metric`.
    MetricId sum = 0;
};

/// The metrics of an engine profile under their exposed names: an average has a `_sum` and a
/// `_count`. One metric may serve several signals.
///
/// **Threads:** safe, because it does not change.
class MetricSet {
public:
    /// `profile` must be valid.
    explicit MetricSet(const EngineProfile& profile) {
        for (const Signal signal : all_signals) {
            const bool is_average = computation_of(signal) == Computation::average;
            for (const std::string& name : profile[signal]) {
                if (is_average) {
                    names_.push_back(name + "_count");
                    names_.push_back(name + "_sum");
                } else {
                    names_.push_back(name);
                }
            }
        }
        std::ranges::sort(names_);
        names_.erase(std::unique(names_.begin(), names_.end()), names_.end());
        is_counter_.resize(names_.size());
        for (const Signal signal : all_signals)
            add_sources(signal, profile[signal]);
    }

    /// All exposed names, sorted, each once. A metric's number is its index.
    std::span<const std::string> names() const noexcept { return names_; }

    /// The number of an exposed name, or empty.
    std::optional<MetricId> find(std::string_view name) const noexcept {
        const auto found = std::ranges::lower_bound(names_, name);
        if (found == names_.end() || *found != name)
            return std::nullopt;
        return static_cast<MetricId>(found - names_.begin());
    }

    /// What a signal is computed from, the preferred name first.
    std::span<const SignalSource> sources(Signal signal) const noexcept {
        return sources_[wva_metrics::detail::index_of(signal)];
    }

    /// True if the metric only grows until its process ends.
    bool is_counter(MetricId metric) const noexcept { return is_counter_[metric]; }

private:
    void add_sources(Signal signal, std::span<const std::string> names) {
        const Computation computation = computation_of(signal);
        for (const std::string& name : names) {
            SignalSource source;
            if (computation == Computation::average)
                source = {*find(name + "_count"), *find(name + "_sum")};
            else
                source = {*find(name), *find(name)};
            if (computation == Computation::average || computation == Computation::counter_rate)
                is_counter_[source.metric] = is_counter_[source.sum] = true;
            sources_[wva_metrics::detail::index_of(signal)].push_back(source);
        }
    }

    std::vector<std::string> names_;
    std::vector<bool> is_counter_;
    std::array<std::vector<SignalSource>, signals.size()> sources_;
};

} // namespace wva_metrics::samples
