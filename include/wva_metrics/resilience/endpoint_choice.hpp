// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/reading.hpp"

#include <algorithm>
#include <bitset>
#include <cstddef>
#include <optional>
#include <vector>

namespace wva_metrics::resilience {

/// Which of several endpoints that know the same is asked. It is told the time and the outcome of each
/// request. Not thread-safe.
///
/// One of them, the current one, is asked by all, so that questions that belong together are answered
/// from the same data. It is left after one failure, for the first healthy one. An endpoint that
/// failed is tried again after a pause, by one caller; if it is preferred to the current one and
/// answers, it becomes the current one. If none is healthy, the current one stays, and is asked.
class EndpointChoice {
public:
    /// The most endpoints.
    static constexpr std::size_t max_endpoints = 8;
    /// Endpoints, by their places in the order of preference.
    using Set = std::bitset<max_endpoints>;

    /// All are healthy, and the first is the current one.
    ///
    /// `count`: from 1 to `max_endpoints`. `first_pause`: of an endpoint that failed; it doubles with
    /// each further failure, up to `max_pause`.
    EndpointChoice(std::size_t count, Duration first_pause, Duration max_pause)
        : first_pause_(first_pause), max_pause_(max_pause), entries_(count) {}

    /// How many there are.
    std::size_t size() const noexcept { return entries_.size(); }
    /// The one that is asked first.
    std::size_t current() const noexcept { return current_; }
    /// Whether it has not failed since it last answered.
    bool is_healthy(std::size_t endpoint) const { return entries_[endpoint].is_healthy; }

    /// The next one for a request that these could not answer: the first that is healthy, or else one
    /// that failed and whose pause is over, which no other caller gets before its next pause is over.
    /// Nothing if there is none.
    std::optional<std::size_t> claim_other(const Set& tried, TimePoint now) {
        const std::optional<std::size_t> other = find_other(tried, now);
        if (other && !is_healthy(*other))
            lengthen_pause(entries_[*other], now);
        return other;
    }
    /// Whether `claim_other` would return one.
    bool has_other(const Set& tried, TimePoint now) const {
        return find_other(tried, now).has_value();
    }

    /// Another than the current one that failed, whose pause is over, and that would become the current
    /// one if it answered. No other caller gets it before its next pause is over.
    std::optional<std::size_t> claim_trial(TimePoint now) {
        for (std::size_t endpoint = 0; endpoint < size(); ++endpoint) {
            const bool is_wanted =
                endpoint < current_ || (endpoint > current_ && !is_healthy(current_));
            if (!is_wanted || !is_due(endpoint, now))
                continue;
            lengthen_pause(entries_[endpoint], now);
            return endpoint;
        }
        return std::nullopt;
    }

    /// It answered a request that began at `started`. Ignored if its state has changed since then: what
    /// was sent before says little about now.
    void succeed(std::size_t endpoint, TimePoint started, TimePoint now) {
        Entry& entry = entries_[endpoint];
        if (started < entry.changed_at)
            return;
        if (!entry.is_healthy) {
            entry.is_healthy = true;
            entry.changed_at = now;
        }
        if (endpoint < current_ || !is_healthy(current_))
            current_ = endpoint;
    }

    /// It failed a request that began at `started`; ignored as in `succeed`. `not_before`: it asked not
    /// to be asked earlier, or will not be.
    void fail(std::size_t endpoint, TimePoint started, TimePoint now,
              TimePoint not_before = TimePoint::min()) {
        Entry& entry = entries_[endpoint];
        if (started < entry.changed_at)
            return;
        if (entry.is_healthy) {
            // One that fails again soon after it has come back has not recovered.
            if (entry.pause > Duration::zero() && now - entry.changed_at >= max_pause_)
                entry.pause = Duration::zero();
            entry.is_healthy = false;
            entry.changed_at = now;
            lengthen_pause(entry, now);
        }
        entry.retry_at = std::max(now + entry.pause, not_before);
        for (std::size_t other = 0; other < size() && !is_healthy(current_); ++other)
            if (is_healthy(other))
                current_ = other;
    }

private:
    struct Entry {
        bool is_healthy = true;
        /// When `is_healthy` changed.
        TimePoint changed_at = TimePoint::min();
        /// The last one; zero if it has not failed for long.
        Duration pause{};
        /// The end of the pause.
        TimePoint retry_at{};
    };

    bool is_due(std::size_t endpoint, TimePoint now) const {
        return !is_healthy(endpoint) && now >= entries_[endpoint].retry_at;
    }
    void lengthen_pause(Entry& entry, TimePoint now) const {
        entry.pause =
            entry.pause == Duration::zero() ? first_pause_ : std::min(2 * entry.pause, max_pause_);
        entry.retry_at = now + entry.pause;
    }
    std::optional<std::size_t> find_other(const Set& tried, TimePoint now) const {
        std::optional<std::size_t> due;
        for (std::size_t endpoint = 0; endpoint < size(); ++endpoint) {
            if (tried[endpoint])
                continue;
            if (is_healthy(endpoint))
                return endpoint;
            if (!due && is_due(endpoint, now))
                due = endpoint;
        }
        return due;
    }

    Duration first_pause_;
    Duration max_pause_;
    std::vector<Entry> entries_;
    std::size_t current_ = 0;
};

} // namespace wva_metrics::resilience
