// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/collector/detail/background_fetcher.hpp"
#include "wva_metrics/collector/detail/dispatcher.hpp"
#include "wva_metrics/collector/detail/fetch_schedule.hpp"
#include "wva_metrics/config.hpp"
#include "wva_metrics/observer/events.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <random>
#include <utility>

namespace wva_metrics::detail {

/// Starts and stops a collector's `BackgroundFetcher`. `Data` is a `CollectorData`.
template <typename Data>
class Background {
public:
    using Fetcher = BackgroundFetcher<typename Data::TimerType>;

    Background(Data& data, Dispatcher<Data>& dispatcher) : data_(data), dispatcher_(dispatcher) {}

    /// Returns false if it runs already, or if fetching is off. Expired entries are removed in
    /// either case. If it throws, because memory is short, nothing was started.
    bool start() {
        events::BackgroundStarted started;
        std::shared_ptr<Fetcher> fetcher;
        std::shared_ptr<Fetcher> dead; // Destroyed without the mutex.
        {
            const std::lock_guard lock(data_.mutex);
            if (data_.coordinator.is_closed() || is_running())
                return false;
            dead = release();
            const CollectorConfig& config = data_.coordinator.config();
            started = {effective_fetch_interval(config), config.cache.fetch_interval};
            fetcher = fetcher_ = make_fetcher(started.interval);
        }
        data_.notify(started);
        try {
            fetcher->start();
        } catch (...) {
            stop();
            throw;
        }
        return started.interval > Duration::zero();
    }

    void stop() {
        std::shared_ptr<Fetcher> fetcher;
        {
            const std::lock_guard lock(data_.mutex);
            fetcher = release();
        }
        if (!fetcher)
            return;
        fetcher->stop();
        data_.notify(events::BackgroundStopped{});
    }

    ///@{
    /// Call with `CollectorData::mutex` held. If `change_intervals` throws, because memory is short,
    /// fetching has stopped.
    bool is_running() const noexcept { return fetcher_ != nullptr && fetcher_->is_running(); }
    void change_intervals(const CollectorConfig& config) {
        const Duration interval = effective_fetch_interval(config);
        if (!fetcher_)
            return;
        try {
            fetcher_->change_intervals(interval, config.cache.cleanup_interval,
                                       random_part(interval), longest_fetch_interval(config));
        } catch (...) {
            fetcher_.reset();
            throw;
        }
    }
    /// Gives the fetcher up, to be stopped or destroyed without the mutex.
    std::shared_ptr<Fetcher> release() noexcept { return std::exchange(fetcher_, nullptr); }
    ///@}

private:
    std::shared_ptr<Fetcher> make_fetcher(Duration interval) {
        const CollectorConfig& config = data_.coordinator.config();
        const FetchSchedule schedule(interval, config.cache.cleanup_interval, random_part(interval),
                                     data_.now(), longest_fetch_interval(config));
        // Weak, because a waiting timer must not keep the collector alive.
        const std::weak_ptr<void> weak_owner = data_.owner;
        return std::make_shared<Fetcher>(
            data_.executor.get(), schedule,
            [this, weak_owner](std::function<void()> ended) {
                if (const auto alive = weak_owner.lock())
                    dispatcher_.run_round(std::move(ended));
            },
            [this, weak_owner] {
                if (const auto alive = weak_owner.lock())
                    data_.with_cache([this](auto& cache) {
                        data_.notify(events::CleanedUp{cache.erase_expired(data_.now())});
                    });
            },
            [this, weak_owner](std::size_t rounds) {
                if (const auto alive = weak_owner.lock()) {
                    data_.counters.add(data_.counters.skipped_rounds, rounds);
                    data_.notify(events::RoundsSkipped{rounds});
                }
            },
            [this, weak_owner] {
                if (const auto alive = weak_owner.lock())
                    stop();
            },
            chance());
    }

    /// A clock for tests may say what chance gives, so that rounds come when the test expects them.
    static typename Fetcher::Chance chance() {
        using Clock = typename Data::TimerType::clock_type;
        if constexpr (requires { Clock::chance(); })
            return [] { return Clock::chance(); };
        else
            return [random = std::minstd_rand(std::random_device()())]() mutable {
                return std::uniform_real_distribution<double>(0.0, 1.0)(random);
            };
    }

    static Duration random_part(Duration interval) {
        std::random_device seed;
        const double part = std::uniform_real_distribution<double>(0.0, 1.0)(seed);
        return Duration(static_cast<Duration::rep>(static_cast<double>(interval.count()) * part));
    }

    Data& data_;
    Dispatcher<Data>& dispatcher_;
    /// Guarded by `CollectorData::mutex`.
    std::shared_ptr<Fetcher> fetcher_;
};

} // namespace wva_metrics::detail
