// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/background_fetcher.hpp"
#include "wva_metrics/collector_stats.hpp"
#include "wva_metrics/concepts.hpp"
#include "wva_metrics/config.hpp"
#include "wva_metrics/detail/batch.hpp"
#include "wva_metrics/detail/collector_books.hpp"
#include "wva_metrics/detail/collector_counters.hpp"
#include "wva_metrics/detail/context_hook.hpp"
#include "wva_metrics/detail/entries.hpp"
#include "wva_metrics/detail/join_memo.hpp"
#include "wva_metrics/observer.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <array>
#include <atomic>
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
/// Look-ups go to the cache directly. What follows a miss is decided by `CollectorBooks`, under one
/// mutex that is held for a few map operations and never across I/O, a callback or a join; this
/// class does what was decided. A mutex rather than a strand, so that an invalidation from any
/// thread has taken effect when it returns.
template <MetricsBackend Backend, MetricsCache CachePolicy, CollectorObserver Observer,
          typename Timer>
class CollectorState
    : public std::enable_shared_from_this<CollectorState<Backend, CachePolicy, Observer, Timer>> {
public:
    CollectorState(const asio::any_io_executor& executor, Backend backend, CollectorConfig config,
                   Observer observer)
        : config_(std::move(config)), backend_(std::move(backend)), cache_(config_.cache),
          observer_(std::move(observer)), executor_(executor), books_(config_),
          hook_(executor, [this] { abandon(); }) {
        notify([&](auto& o) { o.on_configured(config_); });
    }

    const CollectorConfig& config() const noexcept { return config_; }
    Backend& backend() noexcept { return backend_; }
    CachePolicy& cache() noexcept { return cache_; }
    Observer& observer() noexcept { return observer_; }
    JoinMemo& joins() noexcept { return joins_; }
    static TimePoint now() noexcept { return Timer::clock_type::now(); }

    /// Empty where the executor's context has been destroyed.
    asio::any_io_executor executor() const {
        const std::lock_guard lock(mutex_);
        return executor_;
    }

    /// Calls a hook; what it throws is counted and goes no further. Never called with the mutex
    /// held.
    template <typename Hook>
    void notify(Hook&& hook) noexcept {
        try {
            hook(observer_);
        } catch (...) {
            counters_.add(counters_.observer_failures);
        }
    }

    /// The entry that answers now without waiting: fresh, or stale while it is renewed behind the
    /// caller. Where there is none, `last_good` becomes what may be served if the backend fails.
    /// `variant` is what the caller knows of the key today, if anything: it may scale another
    /// deployment now, and then the entry answers no more.
    CacheEntryPtr find(const CacheKeyView& key, const VariantAutoscaling* variant, TimePoint at,
                       CacheEntryPtr& last_good) {
        if (!config_.cache.enabled)
            return nullptr;
        CacheEntryPtr entry = cache_.find(key, at);
        if (!entry)
            return nullptr;
        if (variant != nullptr && !answers(*entry, *variant)) {
            counters_.add(entry->is_fresh(at) ? counters_.unusable_hits
                                              : counters_.unusable_stale_hits);
            return nullptr;
        }
        if (entry->is_fresh(at)) {
            notify([&](auto& o) { o.on_hit({key, entry->age(at)}); });
            return entry;
        }
        if (at <= entry->fresh_until() + config_.cache.stale_while_revalidate) {
            notify([&](auto& o) { o.on_stale_hit({key, entry->age(at)}); });
            renew_behind(key, entry, at);
            return entry;
        }
        counters_.add(counters_.unusable_stale_hits);
        if (at <= entry->fresh_until() + config_.cache.stale_if_error)
            last_good = std::move(entry);
        return nullptr;
    }

    /// What is known, never waiting: an entry as `find` gives it, or the last good one while the
    /// backend fails.
    std::optional<Answer> find_known(const CacheKeyView& key, TimePoint at) {
        CacheEntryPtr last_good;
        if (CacheEntryPtr entry = find(key, nullptr, at, last_good))
            return Answer{std::move(entry), Source::cache};
        if (!last_good)
            return std::nullopt;
        renew_behind(key, last_good, at);
        {
            const std::lock_guard lock(mutex_);
            if (!books_.has_failed(key))
                return std::nullopt;
        }
        note_stale_on_error(key, *last_good, at);
        return Answer{std::move(last_good), Source::stale_on_error};
    }

    /// Joins the flight for this key, or opens one, unless the question is known to fail. The
    /// waiter is completed exactly once, or destroyed with the executor's context.
    void wait_for(const CacheKeyView& key, Question question, const WaiterPtr& waiter,
                  TimePoint at) {
        notify([&](auto& o) { o.on_miss({key, Duration::zero()}); });
        CollectorBooks::Miss miss;
        {
            const std::lock_guard lock(mutex_);
            miss = books_.miss(key, std::move(question), waiter, at);
            if (miss.must_send)
                post_sending();
        }
        if (miss.newly_tracked)
            notify([&](auto& o) { o.on_tracked(key); });
        if (miss.joined) {
            counters_.add(counters_.joined);
            notify([&](auto& o) { o.on_joined({key, Duration::zero()}); });
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

    void track(const CacheKeyView& key, const Question& question) {
        {
            const std::lock_guard lock(mutex_);
            if (!books_.track(key, question, now()))
                return;
        }
        notify([&](auto& o) { o.on_tracked(key); });
    }

    void untrack(const CacheKeyView& key) {
        {
            const std::lock_guard lock(mutex_);
            const bool known = books_.untrack(key);
            cache_.erase(key);
            if (!known)
                return;
        }
        notify([&](auto& o) { o.on_untracked(key, false); });
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
            notify([&](auto& o) {
                o.on_invalidated(to_string(CacheKeyView(keys[i])), erased[i] ? 1 : 0);
            });
        return static_cast<std::size_t>(std::count(erased.begin(), erased.end(), true));
    }

    std::size_t invalidate_prefix(std::string_view prefix) {
        std::size_t erased = 0;
        {
            const std::lock_guard lock(mutex_);
            books_.forget_prefix(prefix);
            erased = cache_.erase_prefix(prefix);
        }
        notify([&](auto& o) { o.on_invalidated(prefix, erased); });
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
        const Duration interval = effective_fetch_interval(config_);
        std::shared_ptr<Fetcher> fetcher;
        {
            const std::lock_guard lock(mutex_);
            if (books_.is_closed() || fetcher_)
                return false;
            fetcher = fetcher_ = make_fetcher(interval);
        }
        notify([&](auto& o) { o.on_background_started(interval); });
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
        notify([&](auto& o) { o.on_background_stopped(); });
    }

    /// Completes who waits with `Errc::aborted` and cancels what is under way.
    void close() {
        stop_background();
        std::vector<WaiterPtr> waiters;
        {
            const std::lock_guard lock(mutex_);
            if (books_.is_closed())
                return;
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
    using BatchType = Batch<Timer>;
    using Fetcher = BackgroundFetcher<Timer>;

    void note_stale_on_error(const CacheKeyView& key, const CacheEntry& entry, TimePoint at) {
        counters_.add(counters_.served_stale_on_error);
        notify([&](auto& o) { o.on_stale_on_error({key, entry.age(at)}); });
    }

    /// Gives the last good value where there is one, else the error.
    void fail(const CacheKeyView& key, const Error& error, Waiter& waiter, TimePoint at) {
        if (waiter.last_good && !error.is(Errc::aborted)) {
            note_stale_on_error(key, *waiter.last_good, at);
            waiter.complete(Answer{waiter.last_good, Source::stale_on_error});
        } else {
            waiter.complete(error);
        }
    }

    void renew_behind(const CacheKeyView& key, const CacheEntryPtr& entry, TimePoint at) {
        const std::lock_guard lock(mutex_);
        if (books_.renew(key, entry, at))
            post_sending();
    }

    /// What is queued before the executor comes round to it is sent together.
    void post_sending() {
        asio::post(executor_, [self = this->shared_from_this()] { self->send_queued(); });
    }

    void send_queued() {
        std::vector<FlightPtr> queued;
        {
            const std::lock_guard lock(mutex_);
            queued = books_.take_queued();
        }
        std::vector<FlightPtr> variants;
        std::vector<FlightPtr> models;
        for (FlightPtr& flight : queued) {
            const EntryKind kind = flight->key.kind();
            if (kind == EntryKind::availability)
                send(kind, {std::move(flight)}, false, {});
            else
                (kind == EntryKind::allocation ? variants : models).push_back(std::move(flight));
        }
        send(EntryKind::allocation, std::move(variants), false, {});
        send(EntryKind::replica, std::move(models), false, {});
    }

    /// Sends a batch; `settled` is told how many of its questions failed.
    void send(EntryKind kind, std::vector<FlightPtr> flights, bool background,
              std::function<void(std::size_t)> settled) {
        if (flights.empty()) {
            if (settled)
                settled(0);
            return;
        }
        const TimePoint asked_at = now();
        std::shared_ptr<BatchType> batch;
        {
            const std::lock_guard lock(mutex_);
            if (books_.is_closed())
                return; // Nobody waits any more.
            batch = std::make_shared<BatchType>(executor_, kind, std::move(flights), background);
            std::erase_if(batches_, [](const auto& weak) { return weak.expired(); });
            batches_.push_back(batch);
        }
        const std::size_t questions = batch->flights().size();
        counters_.add(counters_.batches);
        counters_.add(counters_.questions, questions);
        notify([&](auto& o) { o.on_fetch({kind, questions, 0, Duration::zero(), background}); });
        const auto self = this->shared_from_this();
        // Not the batch itself: it holds this function until it has answered.
        const std::weak_ptr<BatchType> weak = batch;
        batch->run(std::shared_ptr<Backend>(self, &backend_), asked_at + config_.call_timeout,
                   config_.call_timeout,
                   [self, weak, asked_at, settled = std::move(settled)](BatchAnswers answers) {
                       if (const auto answered = weak.lock())
                           self->settle(*answered, std::move(answers), asked_at, settled);
                   });
    }

    void settle(const BatchType& batch, BatchAnswers answers, TimePoint asked_at,
                const std::function<void(std::size_t)>& settled) {
        const TimePoint at = now();
        const std::size_t questions = batch.flights().size();
        std::size_t failed = 0;
        for (std::size_t i = 0; i < questions; ++i) {
            const FlightPtr& flight = batch.flights()[i];
            if (answers[i].has_error()) {
                ++failed;
                settle_failure(flight, answers[i].error(), batch.background(), at);
            } else {
                settle_answer(flight, std::move(*answers[i]), asked_at);
            }
        }
        counters_.add(counters_.failed_questions, failed);
        {
            const std::lock_guard lock(mutex_);
            books_.note_batch(questions, failed, at);
        }
        notify([&](auto& o) {
            o.on_fetched({batch.kind(), questions, failed, at - asked_at, batch.background()});
        });
        if (settled)
            settled(failed);
    }

    void settle_answer(const FlightPtr& flight, CachePayload payload, TimePoint asked_at) {
        const CacheKeyView key = flight->key;
        identify(flight->question, payload);
        if (flight->previous)
            keep_known(*flight->previous, payload);
        const CacheEntryPtr entry = make_entry(config_.cache, std::move(payload), asked_at);
        CollectorBooks::Settled settled;
        {
            const std::lock_guard lock(mutex_);
            settled = books_.settle(flight, entry);
            if (settled.is_wanted && config_.cache.enabled)
                cache_.insert_or_assign(key, entry);
        }
        if (!settled.is_wanted) {
            counters_.add(counters_.discarded);
            notify([&](auto& o) { o.on_discarded({key, Duration::zero()}); });
        }
        if (const auto* warnings = warnings_of(*entry); warnings != nullptr && !warnings->empty())
            notify([&](auto& o) { o.on_warnings(key, *warnings); });
        for (const WaiterPtr& waiter : settled.waiters)
            waiter->complete(Answer{entry, Source::backend});
    }

    void settle_failure(const FlightPtr& flight, const Error& error, bool background,
                        TimePoint at) {
        const CacheKeyView key = flight->key;
        CollectorBooks::Settled settled;
        {
            const std::lock_guard lock(mutex_);
            settled = books_.settle(flight, error, at);
        }
        const bool serving_stale = flight->previous != nullptr;
        notify([&](auto& o) { o.on_failure({key, error, serving_stale, background}); });
        for (const WaiterPtr& waiter : settled.waiters)
            fail(key, error, *waiter, at);
    }

    std::shared_ptr<Fetcher> make_fetcher(Duration interval) {
        std::random_device seed;
        const double part = std::uniform_real_distribution<double>(0.0, 1.0)(seed);
        const auto first =
            Duration(static_cast<Duration::rep>(static_cast<double>(interval.count()) * part));
        const std::weak_ptr<CollectorState> weak = this->weak_from_this();
        return std::make_shared<Fetcher>(
            executor_, FetchSchedule(interval, config_.cache.cleanup_interval, first, now()),
            [weak](std::function<void()> ended) {
                if (const auto self = weak.lock())
                    self->run_round(std::move(ended));
            },
            [weak] {
                if (const auto self = weak.lock())
                    self->clean_up();
            });
    }

    /// Fetches what is tracked and due, in one batch of variants and one of models.
    void run_round(std::function<void()> ended) {
        const TimePoint at = now();
        std::vector<CacheKey> idle;
        CollectorBooks::Due due;
        {
            const std::lock_guard lock(mutex_);
            idle = books_.take_idle(at);
            for (const CacheKey& key : idle)
                cache_.erase(key);
            due = books_.open_due(at);
        }
        for (const CacheKey& key : idle)
            notify([&](auto& o) { o.on_untracked(key, true); });
        struct Round {
            std::atomic<int> open_batches{2};
            std::atomic<std::size_t> failed{0};
        };
        const auto settled = [self = this->shared_from_this(), at,
                              round = std::make_shared<Round>(), variants = due.variants.size(),
                              models = due.models.size(),
                              ended = std::move(ended)](std::size_t failed) {
            round->failed += failed;
            if (--round->open_batches > 0)
                return;
            self->counters_.add(self->counters_.background_rounds);
            self->notify([&](auto& o) {
                o.on_round({variants, models, round->failed, now() - at});
            });
            ended();
        };
        send(EntryKind::allocation, std::move(due.variants), true, settled);
        send(EntryKind::replica, std::move(due.models), true, settled);
    }

    void clean_up() {
        const std::size_t erased = cache_.erase_expired(now());
        notify([&](auto& o) { o.on_cleanup(erased); });
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

    const CollectorConfig config_;
    Backend backend_;
    CachePolicy cache_;
    Observer observer_;
    JoinMemo joins_;
    CollectorCounters counters_;

    mutable std::mutex mutex_;
    asio::any_io_executor executor_;
    CollectorBooks books_;
    std::vector<std::weak_ptr<BatchType>> batches_;
    std::shared_ptr<Fetcher> fetcher_;
    ContextHook hook_;
};

} // namespace wva_metrics::detail
