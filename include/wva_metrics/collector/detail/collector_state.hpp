// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/collector/detail/background_fetcher.hpp"
#include "wva_metrics/collector/detail/collector_core.hpp"
#include "wva_metrics/collector_stats.hpp"
#include "wva_metrics/concepts.hpp"
#include "wva_metrics/config.hpp"
#include "wva_metrics/detail/context_hook.hpp"
#include "wva_metrics/observer/observer.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <algorithm>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics::detail {

/// Everything a collector is, shared with what it has under way, so that it outlives its
/// operations.
///
/// What callers may do is here: look-ups, which go to the cache directly, waiting, tracking,
/// invalidating, and the background's beginning and end. What they set going is in `CollectorCore`.
template <MetricsBackend Backend, MetricsCache CachePolicy, CollectorObserver Observer,
          typename Timer>
class CollectorState : public CollectorCore<Backend, CachePolicy, Observer, Timer> {
    using Core = CollectorCore<Backend, CachePolicy, Observer, Timer>;

public:
    using Core::notify;
    using Core::now;

    CollectorState(const asio::any_io_executor& executor, Backend backend, CollectorConfig config,
                   Observer observer)
        : Core(executor, std::move(backend), std::move(config), std::move(observer)),
          hook_(executor, [this] { abandon(); }) {
        notify(events::Configured{this->config()});
    }

    /// The entry that answers now without waiting: fresh, or stale while it is renewed behind the
    /// caller. Where there is none, `last_good` becomes what may be served if the backend fails.
    /// `variant` is what the caller knows of the key today, if anything: it may scale another
    /// deployment now, and then the entry answers no more.
    CacheEntryPtr find(const CacheKeyView& key, const VariantAutoscaling* variant, TimePoint at,
                       CacheEntryPtr& last_good) {
        if (!settings_.cache_enabled())
            return nullptr;
        CacheEntryPtr entry = cache_.find(key, at);
        if (!entry)
            return nullptr;
        entry->mark_used(at);
        if (variant != nullptr && !answers(*entry, *variant)) {
            counters_.add(entry->is_fresh(at) ? counters_.unusable_hits
                                              : counters_.unusable_stale_hits);
            return nullptr;
        }
        if (entry->is_fresh(at)) {
            notify(events::Hit{key, entry->age(at)});
            return entry;
        }
        if (at <= entry->fresh_until() + settings_.stale_while_revalidate()) {
            notify(events::StaleHit{key, entry->age(at)});
            renew_behind(key, entry, at);
            return entry;
        }
        counters_.add(counters_.unusable_stale_hits);
        if (at <= entry->fresh_until() + settings_.stale_if_error())
            last_good = std::move(entry);
        return nullptr;
    }

    /// What is known, never waiting: an entry as `find` gives it, or the last good one while the
    /// backend fails.
    std::optional<Answer> find_known(const CacheKeyView& key, TimePoint at) {
        CacheEntryPtr last_good;
        if (CacheEntryPtr entry = find(key, nullptr, at, last_good))
            return Answer{std::move(entry), Source::cache};
        if (!last_good) {
            const std::lock_guard lock(mutex_);
            books_.note_asked(key, at);
            return std::nullopt;
        }
        renew_behind(key, last_good, at);
        {
            const std::lock_guard lock(mutex_);
            if (!books_.has_failed(key))
                return std::nullopt;
        }
        note_stale_on_error(key, *last_good, at);
        return Answer{std::move(last_good), Source::stale_on_error};
    }

    /// Joins the flight for this key, or opens one, unless the target is known to fail. The
    /// waiter is completed exactly once, or destroyed with the executor's context.
    void wait_for(const CacheKeyView& key, Target target, const WaiterPtr& waiter, TimePoint at) {
        notify(events::Miss{key});
        Coordinator::Miss miss;
        {
            const std::lock_guard lock(mutex_);
            miss = books_.miss(key, std::move(target), waiter, at);
            if (miss.must_send)
                post_sending();
        }
        if (miss.newly_tracked)
            notify(events::Tracked{key});
        if (miss.joined) {
            counters_.add(counters_.joined);
            notify(events::Coalesced{key});
        }
        if (miss.is_remembered)
            counters_.add(counters_.negative_hits);
        if (miss.refused)
            fail(key, *miss.refused, *waiter, at);
    }

    /// A waiter leaves; its flight goes on for the others and for the cache.
    void leave(const WaiterPtr& waiter) {
        {
            const std::lock_guard lock(mutex_);
            if (!books_.leave(waiter))
                return;
        }
        waiter->complete(Error(Errc::aborted, "the caller cancelled the operation"));
    }

    void track(const CacheKeyView& key, const Target& target) {
        {
            const std::lock_guard lock(mutex_);
            if (!books_.track(key, target, now()))
                return;
        }
        notify(events::Tracked{key});
    }

    void untrack(const CacheKeyView& key) {
        {
            const std::lock_guard lock(mutex_);
            const bool known = books_.untrack(key);
            cache_.erase(key);
            if (!known)
                return;
        }
        notify(events::Untracked{key, false});
    }

    /// Removes entries and sees to it that nothing under way brings them back.
    std::size_t invalidate(const std::vector<CacheKey>& keys) {
        std::vector<bool> erased;
        {
            const std::lock_guard lock(mutex_);
            for (const CacheKey& key : keys) {
                books_.forget(key);
                erased.push_back(cache_.erase(key));
            }
        }
        for (std::size_t i = 0; i < keys.size(); ++i)
            notify(events::Invalidated{to_string(CacheKeyView(keys[i])), erased[i] ? 1U : 0U});
        return static_cast<std::size_t>(std::count(erased.begin(), erased.end(), true));
    }

    std::size_t invalidate_prefix(std::string_view prefix) {
        std::size_t erased = 0;
        {
            const std::lock_guard lock(mutex_);
            books_.forget_prefix(prefix);
            erased = cache_.erase_prefix(prefix);
        }
        notify(events::Invalidated{prefix, erased});
        return erased;
    }

    /// The keys of everything known of one model: its replicas, its availability and its variants.
    std::vector<CacheKey> keys_of(const ModelKey& model) const {
        std::vector<CacheKey> keys{CacheKey(replica_key(model)), CacheKey(availability_key(model))};
        const std::lock_guard lock(mutex_);
        books_.append_variants_of(model, keys);
        return keys;
    }

    /// False where it runs already, or fetching is switched off (expired entries are still cleaned
    /// up then).
    bool start_background() {
        Duration interval{};
        std::shared_ptr<Fetcher> fetcher;
        {
            const std::lock_guard lock(mutex_);
            if (books_.is_closed() || fetcher_)
                return false;
            interval = effective_fetch_interval(config_);
            fetcher = fetcher_ = make_fetcher(interval);
        }
        notify(events::BackgroundStarted{interval});
        fetcher->start();
        return interval > Duration::zero();
    }

    void stop_background() {
        std::shared_ptr<Fetcher> fetcher;
        {
            const std::lock_guard lock(mutex_);
            fetcher = std::exchange(fetcher_, nullptr);
        }
        if (!fetcher)
            return;
        fetcher->stop();
        notify(events::BackgroundStopped{});
    }

    static Error invalid_config(const std::vector<std::string>& problems) {
        std::string all;
        for (const std::string& problem : problems)
            all += (all.empty() ? "" : "; ") + problem;
        return Error(Errc::invalid_config, std::move(all));
    }

    /// Works by another configuration from now on, or changes nothing and says why not.
    Result<void> reconfigure(const CollectorConfig& next) {
        if (const auto problems = validate(next); !problems.empty())
            return invalid_config(problems);
        std::vector<CacheKey> surplus;
        {
            const std::lock_guard one_at_a_time(reconfiguring_);
            const CacheConfig before = this->config().cache;
            const bool other_limits = next.cache.max_entries != before.max_entries ||
                                      next.cache.max_bytes != before.max_bytes;
            if (other_limits && !ResizableCache<CachePolicy>)
                return Error(Errc::invalid_config,
                             "cache.max_entries and cache.max_bytes cannot be changed on a running "
                             "collector: its cache has no set_limits(CacheLimits)");
            surplus = apply(next);
            // Not under the mutex: it may take as long as there is much to evict.
            if constexpr (ResizableCache<CachePolicy>)
                if (other_limits)
                    cache_.set_limits(CacheLimits(next.cache));
        }
        for (const CacheKey& key : surplus)
            notify(events::Untracked{key, true});
        notify(events::Configured{next});
        return {};
    }

    /// Completes who waits with `Errc::aborted` and cancels what is under way.
    void close() {
        stop_background();
        std::vector<WaiterPtr> waiters;
        {
            const std::lock_guard lock(mutex_);
            if (books_.is_closed())
                return;
            silence();
            waiters = books_.close();
            for (const std::weak_ptr<BatchType>& weak : batches_)
                if (const auto batch = weak.lock())
                    batch->cancel();
        }
        for (const WaiterPtr& waiter : waiters)
            waiter->complete(Error(
                Errc::aborted, "the collector was destroyed while the backend was being asked"));
    }

    CollectorStats stats() const {
        CollectorStats stats = counters_.read(cache_.stats());
        const std::lock_guard lock(mutex_);
        books_.fill(stats);
        return stats;
    }

    CollectorHealth health() const {
        const std::lock_guard lock(mutex_);
        CollectorHealth health = books_.health();
        health.background_running = fetcher_ != nullptr;
        return health;
    }

private:
    using Fetcher = BackgroundFetcher<Timer>;
    using Core::batches_;
    using Core::books_;
    using Core::cache_;
    using Core::config_;
    using Core::counters_;
    using Core::executor_;
    using Core::fail;
    using Core::mutex_;
    using Core::note_stale_on_error;
    using Core::post_sending;
    using Core::settings_;
    using Core::silence;
    using typename Core::BatchType;

    std::shared_ptr<CollectorState> self() {
        return std::static_pointer_cast<CollectorState>(this->shared_from_this());
    }

    void renew_behind(const CacheKeyView& key, const CacheEntryPtr& entry, TimePoint at) {
        const std::lock_guard lock(mutex_);
        if (books_.renew(key, entry, at))
            post_sending();
    }

    /// Returns what is tracked no longer.
    std::vector<CacheKey> apply(const CollectorConfig& next) {
        const Duration interval = effective_fetch_interval(next);
        const Duration first = random_part(interval);
        const std::lock_guard lock(mutex_);
        // What is not renewed from now on would be older than what was answered meanwhile, should
        // the cache be switched on again.
        if (config_.cache.enabled && !next.cache.enabled) {
            books_.forget_entries();
            cache_.clear();
        }
        config_ = next;
        settings_.store(next.cache);
        if (fetcher_)
            fetcher_->change_intervals(interval, next.cache.cleanup_interval, first);
        return books_.fit_to_config();
    }

    static Duration random_part(Duration interval) {
        std::random_device seed;
        const double part = std::uniform_real_distribution<double>(0.0, 1.0)(seed);
        return Duration(static_cast<Duration::rep>(static_cast<double>(interval.count()) * part));
    }

    std::shared_ptr<Fetcher> make_fetcher(Duration interval) {
        const Duration first = random_part(interval);
        const std::weak_ptr<CollectorState> weak = self();
        return std::make_shared<Fetcher>(
            executor_, FetchSchedule(interval, config_.cache.cleanup_interval, first, now()),
            [weak](std::function<void()> ended) {
                if (const auto alive = weak.lock())
                    alive->run_round(std::move(ended));
            },
            [weak] {
                if (const auto alive = weak.lock())
                    alive->clean_up();
            });
    }

    void clean_up() {
        const std::size_t erased = cache_.erase_expired(now());
        notify(events::CleanedUp{erased});
    }

    /// The executor's context is being destroyed: whatever refers to it must go before it does.
    void abandon() {
        std::vector<WaiterPtr> waiters;
        std::shared_ptr<Fetcher> fetcher;
        const std::lock_guard lock(mutex_);
        waiters = books_.close();
        fetcher = std::exchange(fetcher_, nullptr);
        executor_ = {};
    }

    /// Held for a whole reconfiguration, beside the mutex for its parts.
    std::mutex reconfiguring_;
    std::shared_ptr<Fetcher> fetcher_;
    ContextHook hook_;
};

} // namespace wva_metrics::detail
