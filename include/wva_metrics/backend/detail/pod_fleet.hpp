// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/detail/pod_load_reports.hpp"
#include "wva_metrics/backend/detail/pod_target.hpp"
#include "wva_metrics/backend/detail/scrape_wait.hpp"
#include "wva_metrics/detail/context_hook.hpp"
#include "wva_metrics/detail/saturating_add.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/priority.hpp"
#include "wva_metrics/reading.hpp"
#include "wva_metrics/scrape/schedule.hpp"
#include "wva_metrics/scrape/scraper_config.hpp"
#include "wva_metrics/workload.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics::detail {

/// The targets of a backend, which are scraped by a schedule as long as somebody asks for them.
///
/// **Threads:** safe. Nothing is called with the mutex held but the schedule, the timer, and what
/// keeps load reports.
///
/// **Lifetime:** owned by a shared pointer. What it has started holds it weakly, and so ends soon
/// after the last owner has gone.
template <typename Executor>
class PodFleet : public std::enable_shared_from_this<PodFleet<Executor>> {
public:
    using Target = PodTarget<Executor>;
    using TargetPtr = std::shared_ptr<Target>;
    using Id = scrape::Schedule::Id;

    PodFleet(const Executor& executor, scrape::ScraperConfig scraper,
             const scrape::ScheduleConfig& schedule, Duration scrape_timeout,
             std::size_t max_targets, std::shared_ptr<PodLoadReports> reports)
        : executor_(executor), config_(std::move(scraper)), reports_(std::move(reports)),
          interval_(schedule.interval), scrape_timeout_(scrape_timeout), max_targets_(max_targets),
          schedule_(schedule), timer_(std::in_place, executor),
          hook_(executor, [this] { shut_down(); }) {}

    /// The targets of a model are these now. Those that were and are no more are retired, unless
    /// another model has them. Returns why some could not be added: a problem, an invalid URL, too many.
    std::optional<Error> set_targets(const ModelKey& model,
                                     std::span<const scrape::ScrapeTarget> found, TimePoint now) {
        std::optional<Error> failure;
        const std::lock_guard lock(mutex_);
        std::map<Id, TargetPtr> listed;
        for (const scrape::ScrapeTarget& target : found) {
            const Result<TargetPtr> added = find_or_add(target);
            if (added.has_error()) {
                failure = added.error();
                continue;
            }
            if (listed.emplace((*added)->id, *added).second)
                ++(*added)->models;
        }
        std::map<Id, TargetPtr>& known = of_model_[model];
        known.swap(listed);
        for (const auto& [id, target] : listed) // Those of before.
            if (--target->models == 0)
                retire(model, target, now);
        if (known.empty())
            of_model_.erase(model);
        sweep(now);
        return failure;
    }

    /// The targets of a model that are there, and those that were until recently.
    std::vector<ListedTarget<Executor>> targets_of(const ModelKey& model) const {
        const std::lock_guard lock(mutex_);
        std::vector<ListedTarget<Executor>> result;
        if (const auto known = of_model_.find(model); known != of_model_.end())
            for (const auto& [id, target] : known->second)
                result.push_back({target, target->history, false});
        const auto [first, last] = retired_.equal_range(model);
        for (auto place = first; place != last; ++place)
            result.push_back({place->second, place->second->history, true});
        return result;
    }

    /// The model has targets.
    bool knows(const ModelKey& model) const {
        const std::lock_guard lock(mutex_);
        return of_model_.contains(model);
    }

    /// Somebody asks for the targets of these models. Waits until each has been scraped within the
    /// interval, or the deadline has passed.
    asio::awaitable<void> refresh(std::vector<ModelKey> models, TimePoint deadline,
                                  Priority priority) {
        const asio::any_io_executor executor = co_await asio::this_coro::executor;
        const Waiter waiter(this->shared_from_this(), executor);
        const bool has_young = demand(models, *waiter.wait, priority);
        start_due();
        if (!has_young)
            co_await waiter.wait->wait(deadline);
    }

private:
    /// A call that waits for scrapes.
    struct Waiter {
        Waiter(std::shared_ptr<PodFleet> of, const asio::any_io_executor& executor)
            : fleet(std::move(of)), wait(std::make_unique<ScrapeWait>(executor)) {}
        Waiter(const Waiter&) = delete;
        Waiter& operator=(const Waiter&) = delete;
        ~Waiter() {
            const std::lock_guard lock(fleet->mutex_);
            fleet->waiting_.erase(wait.get());
        }
        const std::shared_ptr<PodFleet> fleet;
        const std::unique_ptr<ScrapeWait> wait;
    };

    /// Somebody asks for the targets of these models. False if it has to wait for scrapes.
    bool demand(std::span<const ModelKey> models, ScrapeWait& wait, Priority priority) {
        const std::lock_guard lock(mutex_);
        const TimePoint now = std::chrono::steady_clock::now();
        for (const ModelKey& model : models) {
            const auto known = of_model_.find(model);
            if (known == of_model_.end())
                continue;
            for (const auto& [id, target] : known->second) {
                schedule_.demand(id, now);
                const std::optional<TimePoint>& begun = target->history.begun;
                if (begun && now - *begun <= interval_)
                    continue;
                schedule_.hurry(id, now, priority);
                wait.add(id);
            }
        }
        if (!wait.empty())
            waiting_.insert(&wait);
        return wait.empty();
    }

    Result<TargetPtr> find_or_add(const scrape::ScrapeTarget& target) {
        if (target.problem)
            return *target.problem;
        TargetKey key = key_of(target);
        if (const auto known = targets_.find(key); known != targets_.end())
            return known->second;
        if (targets_.size() >= max_targets_)
            return Error(Errc::too_large, "more targets than PodConfig::max_targets, " +
                                              std::to_string(max_targets_));
        try {
            auto added = std::make_shared<Target>(next_id_++, executor_, target, config_, reports_);
            by_id_[added->id] = added;
            return targets_.emplace(std::move(key), std::move(added)).first->second;
        } catch (const ResultError& invalid) {
            return invalid_target(target, invalid.error());
        }
    }

    /// Keeps a target that is there no more for as long as its samples count. With the mutex held.
    void retire(const ModelKey& model, const TargetPtr& target, TimePoint now) {
        target->retired_at = now;
        target->leave_reports();
        target->scraper.retire(now);
        schedule_.remove(target->id);
        tell_waiting(target->id);
        retired_.emplace(model, target);
        targets_.erase(key_of(target->scraper.target()));
    }

    /// Forgets retired targets when their samples have left the windows, and targets that nobody has
    /// asked for since. With the mutex held.
    void sweep(TimePoint now) {
        std::erase_if(retired_, [&](const auto& entry) {
            return now - *entry.second->retired_at > config_.retention.usual;
        });
        const std::vector<Id> idle = schedule_.idle(now - config_.retention.longest);
        for (const Id id : idle) {
            schedule_.remove(id);
            if (const TargetPtr target = by_id_[id].lock())
                targets_.erase(key_of(target->scraper.target()));
            for (auto& [model, known] : of_model_)
                known.erase(id);
        }
        std::erase_if(of_model_, [](const auto& entry) { return entry.second.empty(); });
        if (!idle.empty() || by_id_.size() > 2 * (targets_.size() + retired_.size()))
            std::erase_if(by_id_, [](const auto& entry) { return entry.second.expired(); });
    }

    /// Starts what is due, and waits for what comes next.
    void start_due() {
        std::vector<TargetPtr> due;
        {
            const std::lock_guard lock(mutex_);
            const TimePoint now = std::chrono::steady_clock::now();
            for (const Id id : schedule_.start_due(now))
                if (TargetPtr target = by_id_[id].lock())
                    due.push_back(std::move(target));
                else
                    schedule_.finished(id, now);
            wait(now);
        }
        for (const TargetPtr& target : due)
            start(target);
    }

    void start(const TargetPtr& target) {
        const TimePoint begun = std::chrono::steady_clock::now();
        try {
            auto scrape = target->scraper.scrape(saturating_add(begun, scrape_timeout_));
            asio::co_spawn(executor_, std::move(scrape),
                           [weak = this->weak_from_this(), id = target->id,
                            begun](std::exception_ptr thrown, Result<void> result) {
                               if (thrown)
                                   result = Error(Errc::internal, "a scrape threw an exception");
                               if (const auto fleet = weak.lock()) {
                                   fleet->note(id, begun, result);
                                   fleet->start_due();
                               }
                           });
        } catch (const std::exception&) {
            note(target->id, begun, Error(Errc::internal, "memory for a scrape was short"));
        }
    }

    void note(Id id, TimePoint begun, const Result<void>& result) {
        const std::lock_guard lock(mutex_);
        schedule_.finished(id, std::chrono::steady_clock::now());
        if (const TargetPtr target = by_id_[id].lock())
            target->note(begun, result);
        tell_waiting(id);
    }

    void tell_waiting(Id id) {
        for (ScrapeWait* const waiting : waiting_)
            waiting->note(id);
    }

    /// With the mutex held.
    void wait(TimePoint now) {
        const std::optional<TimePoint> next = schedule_.next_due(now);
        if (!timer_ || next == waits_until_)
            return;
        waits_until_ = next;
        timer_->cancel();
        if (!next)
            return;
        timer_->expires_at(*next);
        timer_->async_wait([weak = this->weak_from_this()](const boost::system::error_code& error) {
            const auto fleet = error ? nullptr : weak.lock();
            if (!fleet)
                return;
            {
                const std::lock_guard lock(fleet->mutex_);
                fleet->waits_until_.reset();
            }
            fleet->start_due();
        });
    }

    /// The execution context is being destroyed, and the timer must not outlive it.
    void shut_down() {
        const std::lock_guard lock(mutex_);
        timer_.reset();
    }

    const Executor executor_;
    const scrape::ScraperConfig config_;
    const std::shared_ptr<PodLoadReports> reports_;
    const Duration interval_;
    const Duration scrape_timeout_;
    const std::size_t max_targets_;
    mutable std::mutex mutex_;
    scrape::Schedule schedule_;
    std::map<TargetKey, TargetPtr> targets_;
    std::map<ModelKey, std::map<Id, TargetPtr>> of_model_;
    std::multimap<ModelKey, TargetPtr> retired_;
    std::map<Id, std::weak_ptr<Target>> by_id_;
    std::set<ScrapeWait*> waiting_;
    Id next_id_ = 1;
    std::optional<asio::steady_timer> timer_;
    /// What the timer waits for.
    std::optional<TimePoint> waits_until_;
    ContextHook hook_;
};

} // namespace wva_metrics::detail
