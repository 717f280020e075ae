// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/saturating_add.hpp"
#include "wva_metrics/reading.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>

namespace wva_metrics::detail {

/// The interval, a tenth less for a chance of 0 and a tenth more for 1, and never above `longest`.
inline Duration varied_interval(Duration interval, double chance, Duration longest) noexcept {
    constexpr double part = 0.1;
    const double tenths = static_cast<double>(interval.count()) * part;
    const Duration change(static_cast<Duration::rep>(tenths * (2 * chance - 1)));
    // Without overflow, also if both are the largest.
    return change > Duration::zero() && interval > longest - change ? longest : interval + change;
}

/// Decides when the background fetcher acts next: rounds at a fixed rate that never overlap, and
/// cleanups.
///
/// Takes the time as a parameter. An interval of zero means never.
class FetchSchedule {
public:
    /// `first_round_after` should be a random part of the interval, so that many processes that
    /// start together do not fetch together. `longest_interval` bounds what chance may add.
    FetchSchedule(Duration fetch_interval, Duration cleanup_interval, Duration first_round_after,
                  TimePoint now, Duration longest_interval = Duration::max())
        : fetch_interval_(fetch_interval), longest_interval_(longest_interval),
          cleanup_interval_(cleanup_interval), next_round_(saturating_add(now, first_round_after)),
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
    bool is_in_round() const noexcept { return in_round_; }
    bool cleanup_due(TimePoint now) const noexcept { return cleans() && now >= next_cleanup_; }

    /// The next round follows after the interval, and up to a tenth of it earlier or later: as
    /// `chance` says, from 0 to 1. So processes that have come into step fall out of it again.
    void round_started(TimePoint now, double chance = 0.5) noexcept {
        in_round_ = true;
        next_round_ =
            saturating_add(now, varied_interval(fetch_interval_, chance, longest_interval_));
    }
    /// If the round took longer than the interval, the rounds that were due meanwhile are left out.
    /// Returns their number.
    std::size_t round_ended(TimePoint now) noexcept {
        in_round_ = false;
        if (!fetches() || now < next_round_)
            return 0;
        const auto skipped = (now - next_round_) / fetch_interval_ + 1;
        next_round_ += skipped * fetch_interval_;
        return static_cast<std::size_t>(skipped);
    }
    void cleaned_up(TimePoint now) noexcept {
        next_cleanup_ = saturating_add(now, cleanup_interval_);
    }

    /// Applies other intervals. A shorter interval shortens the remaining wait in proportion, so
    /// that many processes that are reconfigured together still do not fetch together. A longer one
    /// does not lengthen it, so that no entry cached for the old interval expires before the next
    /// round. `first_round_after` is used if rounds were switched off.
    void change_intervals(Duration fetch_interval, Duration cleanup_interval,
                          Duration first_round_after, TimePoint now,
                          Duration longest_interval = Duration::max()) noexcept {
        next_round_ = fetches() ? rescaled(next_round_, fetch_interval_, fetch_interval, now)
                                : saturating_add(now, first_round_after);
        next_cleanup_ = cleans() ? rescaled(next_cleanup_, cleanup_interval_, cleanup_interval, now)
                                 : saturating_add(now, cleanup_interval);
        fetch_interval_ = fetch_interval;
        longest_interval_ = longest_interval;
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
    Duration longest_interval_;
    Duration cleanup_interval_;
    TimePoint next_round_;
    TimePoint next_cleanup_;
    bool in_round_ = false;
};

} // namespace wva_metrics::detail
