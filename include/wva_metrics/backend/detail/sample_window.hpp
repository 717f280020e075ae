// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/detail/window_memory.hpp"
#include "wva_metrics/reading.hpp"
#include "wva_metrics/samples/liveness.hpp"
#include "wva_metrics/samples/sample.hpp"
#include "wva_metrics/samples/sample_rules.hpp"
#include "wva_metrics/samples/view.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <span>

namespace wva_metrics::detail {

/// True if one of the views lives and has one sample: nothing tells how often it is scraped.
inline bool has_unknown_spacing(std::span<const samples::View> views, samples::ServerTime now,
                                const samples::SampleRules& rules) {
    return std::any_of(views.begin(), views.end(), [&](const samples::View& view) {
        return !samples::scrape_spacing(view) && !samples::is_lost(view, now, rules);
    });
}

/// Over how long a round asks for samples. The first round takes the longest window, which shows how
/// often each server is scraped; later ones take what the views of earlier rounds need.
///
/// Pure: the time is passed in.
///
/// **Threads:** safe.
class SampleWindow {
public:
    /// After a view of unknown spacing, the longest window is taken again, but only once in this
    /// time: most such views are those of a young server.
    static constexpr Duration probe_again_after = std::chrono::minutes(1);

    explicit SampleWindow(const samples::SampleRules& rules)
        : longest_(std::max({rules.window, rules.peak, rules.longest_window})),
          memory_(std::max(rules.window, rules.peak), longest_) {}

    /// The window of a round.
    struct Choice {
        Duration window;
        /// It is longer than needed, only to see how often servers are scraped: the size of the
        /// answer tells nothing about later ones.
        bool is_probe = false;
    };

    Choice choose(TimePoint now) const {
        const Duration needed = memory_.window(now);
        const bool is_probe = takes_longest_.load(std::memory_order_relaxed) && needed < longest_;
        return {is_probe ? longest_ : needed, is_probe};
    }

    /// What a round needed, and whether the spacing of a view was not known.
    void learn(samples::ServerDuration needed, bool has_unknown, TimePoint now) {
        memory_.learn(needed, now);
        const TimePoint probed = probed_.load(std::memory_order_relaxed);
        const bool probes = has_unknown && now - probed >= probe_again_after;
        if (probes)
            probed_.store(now, std::memory_order_relaxed);
        takes_longest_.store(probes, std::memory_order_relaxed);
    }

private:
    const Duration longest_;
    WindowMemory memory_;
    std::atomic<bool> takes_longest_{true};
    std::atomic<TimePoint> probed_{TimePoint{}};
};

} // namespace wva_metrics::detail
