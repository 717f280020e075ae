// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/detail/server_clock.hpp"
#include "wva_metrics/samples/process.hpp"
#include "wva_metrics/samples/sample.hpp"
#include "wva_metrics/samples/view.hpp"

#include <algorithm>
#include <cstddef>
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
    /// The pods that live, but are scraped too rarely to have a sample.
    std::set<std::string> unsampled{};
};

/// Replaces the views of these pods by others, which have more samples. A view without another one
/// stays: what was asked for may not have found it. `views` are sorted by labels, the others come in
/// any order and maybe several times.
inline void replace_pods(std::vector<samples::View>& views, const std::set<std::string>& pods,
                         std::vector<samples::View> others) {
    const std::size_t known = views.size();
    const auto is_before = [](const samples::View& view, const samples::Labels& labels) {
        return view.labels < labels;
    };
    for (samples::View& view : others) {
        if (!pods.contains(view.pod))
            continue;
        const auto end = views.begin() + static_cast<std::ptrdiff_t>(known);
        const auto found = std::lower_bound(views.begin(), end, view.labels, is_before);
        if (found != end && found->labels == view.labels)
            *found = std::move(view);
        else
            views.push_back(std::move(view));
    }
    std::sort(views.begin(), views.end(), [](const samples::View& one, const samples::View& other) {
        return one.labels < other.labels;
    });
    const auto is_same = [](const samples::View& one, const samples::View& other) {
        return one.labels == other.labels;
    };
    views.erase(std::unique(views.begin(), views.end(), is_same), views.end());
}

} // namespace wva_metrics::detail
