// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/reading.hpp"
#include "wva_metrics/samples/rate_window.hpp"
#include "wva_metrics/samples/sample.hpp"
#include "wva_metrics/samples/sample_rules.hpp"
#include "wva_metrics/samples/view.hpp"

#include <algorithm>
#include <chrono>
#include <deque>
#include <mutex>
#include <span>

namespace wva_metrics::detail {

/// The longest window that the rate of one of these views is measured over, at least the configured
/// one. If the only sample of a view is older than that, its target is scraped so rarely that
/// nothing but the longest window shows it; of a younger one nothing is known.
inline samples::ServerDuration needed_window(std::span<const samples::View> views,
                                             samples::ServerTime now,
                                             const samples::SampleRules& rules) {
    samples::ServerDuration needed = rules.window;
    for (const samples::View& view : views) {
        if (view.times.size() == 1 && now - view.last() > rules.window)
            needed = std::max(needed, rules.longest_window);
        const samples::RateWindow window = samples::find_rate_window(view, now, rules);
        needed = std::max(needed, window.end - window.start);
    }
    return needed;
}

/// The window that the next round asks for, learned from the views of earlier rounds: where scrapes
/// are rare, a longer one than usual. Without it, every round would have to ask a second time.
///
/// Pure: the time is passed in.
///
/// **Threads:** safe.
class WindowMemory {
public:
    /// A longer window is asked for until none has needed it for this time.
    static constexpr Duration forget_after = std::chrono::minutes(10);

    /// `longest`: the window never grows beyond this, or beyond the usual one if that is longer.
    WindowMemory(Duration usual, Duration longest)
        : usual_(usual), longest_(std::max(usual, longest)) {}

    /// The window to ask for. A whole number of seconds, unless it is the usual or the longest one.
    Duration window(TimePoint now) const {
        const std::lock_guard lock(mutex_);
        // The needs descend, so that the first that is not forgotten is the longest.
        const auto found = std::ranges::find_if(
            needs_, [now](const Need& need) { return now - need.at < forget_after; });
        return found == needs_.end() ? usual_ : found->window;
    }

    /// A round needed this window.
    void learn(samples::ServerDuration needed, TimePoint now) {
        if (needed <= usual_)
            return;
        const Duration window =
            std::min<Duration>(std::chrono::ceil<std::chrono::seconds>(needed), longest_);
        const std::lock_guard lock(mutex_);
        // What is not longer is not needed any more. So there is at most one need per second.
        while (!needs_.empty() && needs_.back().window <= window)
            needs_.pop_back();
        while (!needs_.empty() && now - needs_.front().at >= forget_after)
            needs_.pop_front();
        needs_.push_back({window, now});
    }

private:
    struct Need {
        Duration window;
        TimePoint at;
    };

    const Duration usual_;
    const Duration longest_;
    mutable std::mutex mutex_;
    /// Of the last `forget_after`, if no longer or equal one came later: windows descend, times
    /// ascend.
    std::deque<Need> needs_;
};

} // namespace wva_metrics::detail
