// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/priority.hpp"
#include "wva_metrics/reading.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

namespace wva_metrics::scrape {

/// When targets are scraped.
struct ScheduleConfig {
    /// The time between two scrapes of a target.
    Duration interval = std::chrono::seconds(1);
    /// Scrapes that run at the same time.
    std::size_t max_concurrent = 64;
    /// A target that nobody has asked for during this time is no longer scraped.
    Duration keep_scraping_for = std::chrono::minutes(1);
};

/// All problems of a configuration, one sentence each; empty if it is valid.
inline std::vector<std::string> validate(const ScheduleConfig& config) {
    std::vector<std::string> problems;
    const auto require = [&](bool holds, const char* sentence) {
        if (!holds)
            problems.emplace_back(sentence);
    };
    require(config.interval >= std::chrono::milliseconds(10),
            "interval must be at least 10ms, because each scrape costs the server time");
    require(config.interval <= std::chrono::minutes(5),
            "interval must be at most 5m, because a rate needs two samples in its window");
    require(config.max_concurrent > 0, "max_concurrent must be positive");
    require(config.keep_scraping_for >= Duration::zero() &&
                config.keep_scraping_for <= std::chrono::hours(24),
            "keep_scraping_for must not be negative, and must be at most 24h");
    return problems;
}

/// Decides which targets are scraped now. Pure: the time is passed in.
///
/// Each target has its own phase within the interval, so that the scrapes of many are spread evenly.
/// A target that was just added or asked for again is due at once, and then at its phase. A scrape
/// that takes longer than the interval delays the next one of its target to the next free slot, and
/// never two of one target run at once.
///
/// **Threads:** one at a time.
class Schedule {
public:
    /// Names a target; the caller chooses it.
    using Id = std::uint64_t;

    /// `config` must be valid.
    explicit Schedule(const ScheduleConfig& config) : config_(config) {}

    /// Adds a target that somebody asks for now. One that is there already is asked for.
    void demand(Id id, TimePoint now) {
        const auto [place, is_new] = targets_.try_emplace(id);
        Target& target = place->second;
        if (is_new) {
            target.phase = next_phase();
            enqueue(id, target, now);
        } else if (!is_demanded(target, now)) {
            // Its windows have a gap, and the first scrape after it is wanted at once.
            enqueue(id, target,
                    std::min(target.due, std::max(now, target.begun + config_.interval)));
        } else if (!target.is_queued) {
            enqueue(id, target, target.due);
        }
        target.asked = now;
    }

    /// A call waits for a scrape of the target: unless one runs, it is due now. For an interactive
    /// call, before all that is due for another reason.
    void hurry(Id id, TimePoint now, Priority priority = Priority::interactive) {
        const auto found = targets_.find(id);
        if (found == targets_.end())
            return;
        Target& target = found->second;
        dequeue(id, target);
        if (priority == Priority::interactive && !target.is_running)
            target.is_waited_for = true;
        enqueue(id, target, std::min(target.due, now));
    }

    /// Removes a target. A scrape of it that runs still counts until `finished`.
    void remove(Id id) {
        const auto found = targets_.find(id);
        if (found == targets_.end())
            return;
        if (found->second.is_running)
            removed_running_.push_back(id);
        dequeue(id, found->second);
        targets_.erase(found);
    }

    /// The targets that are scraped from now on: first those that an interactive call waits for, and
    /// of these and of the others those that are due for the longest. The caller scrapes each, and
    /// then calls `finished`.
    std::vector<Id> start_due(TimePoint now) {
        std::vector<Id> ids;
        while (running_ < config_.max_concurrent && !queue_.empty()) {
            const auto [is_later, due, id] = *queue_.begin();
            if (due > now)
                break;
            Target& target = targets_.at(id);
            dequeue(id, target);
            target.is_waited_for = false;
            if (!is_demanded(target, now))
                continue; // It is queued again when it is asked for.
            target.is_running = true;
            target.begun = now;
            ++running_;
            ids.push_back(id);
        }
        return ids;
    }

    /// The scrape of a target has ended, whatever came of it.
    void finished(Id id, TimePoint now) {
        const auto removed = std::find(removed_running_.begin(), removed_running_.end(), id);
        if (removed != removed_running_.end()) {
            removed_running_.erase(removed);
            --running_;
            return;
        }
        const auto found = targets_.find(id);
        if (found == targets_.end() || !found->second.is_running)
            return;
        --running_;
        Target& target = found->second;
        target.is_running = false;
        enqueue(id, target, next_slot(target, now));
    }

    /// When `start_due` has something to do next, unless a scrape ends before; empty if nothing is
    /// due before something is asked for or ends.
    std::optional<TimePoint> next_due(TimePoint now) const {
        if (running_ >= config_.max_concurrent)
            return std::nullopt;
        for (const auto& [is_later, due, id] : queue_)
            if (is_demanded(targets_.at(id), std::max(now, due)))
                return due;
        return std::nullopt;
    }

    /// The targets that nobody has asked for recently, and that are not being scraped.
    std::vector<Id> idle(TimePoint now) const {
        std::vector<Id> ids;
        for (const auto& [id, target] : targets_)
            if (!target.is_running && !is_demanded(target, now))
                ids.push_back(id);
        return ids;
    }

    /// Scrapes that run.
    std::size_t running() const noexcept { return running_; }
    /// Targets.
    std::size_t size() const noexcept { return targets_.size(); }

private:
    struct Target {
        /// Of the interval, from 0 to 1.
        double phase = 0;
        TimePoint due{};
        /// When its last scrape began.
        TimePoint begun{};
        TimePoint asked{};
        bool is_running = false;
        bool is_queued = false;
        /// An interactive call waits for its next scrape, which is due.
        bool is_waited_for = false;
    };

    /// In the queue: whether others go before it, when it is due, and which it is.
    using Place = std::tuple<bool, TimePoint, Id>;

    /// The target is due then. One that runs is queued when it has ended.
    void enqueue(Id id, Target& target, TimePoint due) {
        dequeue(id, target);
        target.due = due;
        if (target.is_running)
            return;
        queue_.insert(place(id, target));
        target.is_queued = true;
    }
    void dequeue(Id id, Target& target) {
        if (target.is_queued)
            queue_.erase(place(id, target));
        target.is_queued = false;
    }
    static Place place(Id id, const Target& target) noexcept {
        return {!target.is_waited_for, target.due, id};
    }

    bool is_demanded(const Target& target, TimePoint now) const noexcept {
        return now - target.asked <= config_.keep_scraping_for;
    }

    /// However many there are, the phases divide the interval nearly evenly.
    double next_phase() noexcept {
        constexpr double golden = 0.618033988749894848;
        double whole = 0;
        return std::modf(golden * static_cast<double>(added_++), &whole);
    }

    /// The next time with the target's phase that is later than `now` and not just after its last
    /// scrape.
    TimePoint next_slot(const Target& target, TimePoint now) const noexcept {
        const Duration phase =
            std::chrono::duration_cast<Duration>(config_.interval * target.phase);
        const TimePoint earliest = std::max(now, target.begun + config_.interval / 2);
        const Duration since = earliest.time_since_epoch() - phase;
        const auto slots = since / config_.interval + (since >= Duration::zero() ? 1 : 0);
        return TimePoint(phase + slots * config_.interval);
    }

    const ScheduleConfig config_;
    std::map<Id, Target> targets_;
    /// Those that do not run, and that were demanded when it was looked last; so that a scrape that
    /// ends costs little, however many targets there are.
    std::set<Place> queue_;
    std::vector<Id> removed_running_;
    std::size_t running_ = 0;
    std::uint64_t added_ = 0;
};

} // namespace wva_metrics::scrape
