// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/reading.hpp"
#include "wva_metrics/samples/liveness.hpp"
#include "wva_metrics/samples/sample_rules.hpp"
#include "wva_metrics/samples/view.hpp"
#include "wva_metrics/samples/window.hpp"

#include <algorithm>
#include <chrono>
#include <mutex>
#include <optional>
#include <span>

namespace wva_metrics::detail {

/// Over how long the samples of a view are needed; empty if it has one sample, so that nothing is
/// known of its spacing.
inline std::optional<samples::ServerDuration> needed_window(const samples::View& view,
                                                            samples::ServerTime now,
                                                            const samples::SampleRules& rules) {
    if (samples::times_within(view.times, now - rules.window, now).size() >= 2)
        return rules.window;
    const std::optional<samples::ServerDuration> spacing = samples::scrape_spacing(view);
    if (!spacing)
        return std::nullopt;
    return std::clamp(rules.widened_spacings * *spacing, rules.window,
                      std::max(rules.window, rules.longest_window));
}

/// Over how long a round queries samples: what the views of earlier rounds need, because some
/// servers are scraped more rarely than the window of rates allows. The first round takes the
/// longest window, which shows how often each server is scraped.
///
/// Pure: the time is passed in.
///
/// **Threads:** safe.
class SampleWindow {
public:
    /// How long a need is remembered.
    static constexpr Duration keep = std::chrono::minutes(10);
    /// A view with one sample takes the longest window only once in this time: most such views are
    /// young.
    static constexpr Duration probe_again_after = std::chrono::minutes(1);

    explicit SampleWindow(const samples::SampleRules& rules)
        : shortest_(std::max(rules.window, rules.peak)),
          longest_(std::max(shortest_, rules.longest_window)), needed_(longest_) {}

    samples::ServerDuration window(TimePoint now) const {
        const std::lock_guard lock(mutex_);
        if (is_first_ || probe_)
            return longest_;
        return now - needed_at_ < keep ? std::max(needed_, shortest_) : shortest_;
    }

    /// The longest window that a living view of a round needs, and whether the need of one is not
    /// known.
    void learn(samples::ServerDuration needed, bool has_unknown, TimePoint now) {
        const std::lock_guard lock(mutex_);
        if (is_first_ || needed >= needed_ || now - needed_at_ >= keep) {
            needed_ = needed;
            needed_at_ = now;
        }
        is_first_ = false;
        probe_ = has_unknown && now - probed_at_ >= probe_again_after;
        if (probe_)
            probed_at_ = now;
    }

private:
    const samples::ServerDuration shortest_;
    const samples::ServerDuration longest_;
    mutable std::mutex mutex_;
    samples::ServerDuration needed_;
    TimePoint needed_at_{};
    TimePoint probed_at_{};
    bool is_first_ = true;
    bool probe_ = false;
};

} // namespace wva_metrics::detail
