// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/saturating_add.hpp"
#include "wva_metrics/reading.hpp"

#include <algorithm>
#include <optional>

namespace wva_metrics::detail {

/// Decides when the background fetcher acts next: rounds at a fixed rate that never overlap, and
/// cleanups.
///
/// Takes the time as a parameter. An interval of zero means never.
class FetchSchedule {
public:
    /// `first_round_after` should be a random part of the interval, so that many processes that
    /// start together do not fetch together.
    FetchSchedule(Duration fetch_interval, Duration cleanup_interval, Duration first_round_after,
                  TimePoint now)
        : fetch_interval_(fetch_interval), cleanup_interval_(cleanup_interval),
          next_round_(saturating_add(now, first_round_after)),
          next_cleanup_(saturating_add(now, cleanup_interval)) {}

    /// When to act next; empty if there is nothing to wait for.
    std::optional<TimePoint> next() const noexcept {
        std::optional<TimePoint> earliest;
        if (fetches() && !in_round_)
            earliest = next_round_;
        if (cleans())
            earliest = earliest ? std::min(*earliest, next_cleanup_) : next_cleanup_;
        return earliest;
    }

    bool round_due(TimePoint now) const noexcept {
        return fetches() && !in_round_ && now >= next_round_;
    }
    bool cleanup_due(TimePoint now) const noexcept { return cleans() && now >= next_cleanup_; }

    void round_started(TimePoint now) noexcept {
        in_round_ = true;
        next_round_ = saturating_add(now, fetch_interval_);
    }
    /// If the round took longer than the interval, the next one is due immediately.
    void round_ended() noexcept { in_round_ = false; }
    void cleaned_up(TimePoint now) noexcept {
        next_cleanup_ = saturating_add(now, cleanup_interval_);
    }

    /// Applies other intervals. A shorter interval shortens the remaining wait in proportion, so
    /// that many processes that are reconfigured together still do not fetch together. A longer one
    /// does not lengthen it, so that no entry cached for the old interval expires before the next
    /// round. `first_round_after` is used if rounds were switched off.
    void change_intervals(Duration fetch_interval, Duration cleanup_interval,
                          Duration first_round_after, TimePoint now) noexcept {
        next_round_ = fetches() ? rescaled(next_round_, fetch_interval_, fetch_interval, now)
                                : saturating_add(now, first_round_after);
        next_cleanup_ = cleans() ? rescaled(next_cleanup_, cleanup_interval_, cleanup_interval, now)
                                 : saturating_add(now, cleanup_interval);
        fetch_interval_ = fetch_interval;
        cleanup_interval_ = cleanup_interval;
    }

private:
    static TimePoint rescaled(TimePoint next, Duration before, Duration after,
                              TimePoint now) noexcept {
        if (next <= now || after >= before)
            return next;
        const double part =
            static_cast<double>(after.count()) / static_cast<double>(before.count());
        const auto left = static_cast<double>((next - now).count());
        return now + Duration(static_cast<Duration::rep>(left * part));
    }

    bool fetches() const noexcept { return fetch_interval_ > Duration::zero(); }
    bool cleans() const noexcept { return cleanup_interval_ > Duration::zero(); }

    Duration fetch_interval_;
    Duration cleanup_interval_;
    TimePoint next_round_;
    TimePoint next_cleanup_;
    bool in_round_ = false;
};

} // namespace wva_metrics::detail
