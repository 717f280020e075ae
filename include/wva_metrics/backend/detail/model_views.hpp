// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/detail/server_clock.hpp"
#include "wva_metrics/samples/process.hpp"
#include "wva_metrics/samples/sample.hpp"
#include "wva_metrics/samples/view.hpp"

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics::detail {

/// The samples of one model: what a `ModelReport` is made of.
struct ModelViews {
    /// What its targets say of it, sorted by labels.
    std::vector<samples::View> views{};
    /// Converts the times of the samples.
    ServerClock clock{};
    /// When windows end: `clock.evaluated`, except if all samples of the answer are behind.
    samples::ServerTime now{};
    /// The pods that more samples may decide.
    std::vector<samples::PodSelector> undecided{};
};

/// Replaces the views of these pods by others, which have more samples.
inline void replace_pods(std::vector<samples::View>& views, const std::set<std::string>& pods,
                         std::vector<samples::View> others) {
    std::erase_if(views, [&](const samples::View& view) { return pods.contains(view.pod); });
    for (samples::View& view : others)
        if (pods.contains(view.pod))
            views.push_back(std::move(view));
    std::sort(views.begin(), views.end(), [](const samples::View& one, const samples::View& other) {
        return one.labels < other.labels;
    });
}

} // namespace wva_metrics::detail
