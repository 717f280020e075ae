// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/reading.hpp"
#include "wva_metrics/resilience/circuit_breaker.hpp"
#include "wva_metrics/resilience/concurrency_limit.hpp"
#include "wva_metrics/resilience/detail/event_texts.hpp"
#include "wva_metrics/resilience/hedging.hpp"
#include "wva_metrics/resilience/protection_config.hpp"
#include "wva_metrics/resilience/protection_event.hpp"
#include "wva_metrics/resilience/protection_stats.hpp"
#include "wva_metrics/resilience/retry_budget.hpp"
#include "wva_metrics/resilience/retry_policy.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace wva_metrics::resilience {

/// The protection of one endpoint: breaker, pauses that the server asks for, retry budget, hedging
/// and concurrency limit together. It does no I/O, and is told the time and each outcome.
///
/// While all is well, `admit` takes no lock, and each outcome one short lock.
///
/// **Threads:** safe.
class EndpointGuard {
public:
    /// `config`: a valid one. `endpoint`: for events. `max_concurrency`: at least 1.
    EndpointGuard(ProtectionConfig config, std::string endpoint, std::size_t max_concurrency)
        : config_(std::move(config)), endpoint_(std::move(endpoint)), breaker_(config_.breaker),
          budget_(config_.retry_budget), concurrency_(config_.concurrency, max_concurrency),
          hedging_(config_.hedging), max_concurrency_(max_concurrency),
          calm_period_(breaker_.period()), limit_(max_concurrency) {}
    EndpointGuard(const EndpointGuard&) = delete;
    EndpointGuard& operator=(const EndpointGuard&) = delete;

    /// The right to send one request.
    struct Pass {
        /// For the breaker.
        CircuitBreaker::Period period = 0;
        /// When the request began.
        TimePoint started{};
    };

    /// Asks to send a request. Nothing if it must not be sent; see `refuse`. Otherwise one
    /// of `succeed`, `fail` and `abandon` must be called once.
    std::optional<Pass> admit(TimePoint now) {
        if (const CircuitBreaker::Period period = calm_period_.load(std::memory_order_relaxed))
            return Pass{period, now};
        std::optional<CircuitBreaker::Period> period;
        update(now, [&] {
            if (now >= not_before_)
                period = breaker_.admit(now);
        });
        return period ? std::optional(Pass{*period, now}) : std::nullopt;
    }

    /// Whether `admit` would refuse a request now, and waiting for its turn is no use. A young probe is
    /// worth waiting for: of the requests that belong together, the first one is the probe, and without
    /// the others its answer would be worth little.
    bool is_refusing(TimePoint now) const {
        if (calm_period_.load(std::memory_order_relaxed) != 0)
            return false;
        const std::lock_guard lock(mutex_);
        return now < not_before_ ||
               (breaker_.is_refusing(now) && !breaker_.is_probing_since(now - config_.slow_after));
    }

    /// Counts a request that is not sent. Returns why, since when and until when, for people. Times are
    /// of the system's clock, so that the text stays the same and logs can drop its repetitions.
    std::string refuse(TimePoint now, std::chrono::system_clock::time_point system_now) {
        const std::lock_guard lock(mutex_);
        ++counts_.refused;
        const auto time_of_day = [&](TimePoint time) {
            return detail::format_time_of_day(
                system_now +
                std::chrono::duration_cast<std::chrono::system_clock::duration>(time - now));
        };
        if (now < not_before_)
            return "the server has asked for a pause (" + pause_reason_ +
                   "); nothing is sent to it until " + time_of_day(not_before_);
        if (breaker_.state() == CircuitBreaker::State::closed)
            return "the circuit breaker was open until now";
        return "the circuit breaker has been open since " + time_of_day(breaker_.open_since()) +
               " after " + breaker_.reason() +
               (breaker_.state() == CircuitBreaker::State::open
                    ? "; the next request is sent at " + time_of_day(breaker_.retry_at())
                    : std::string("; a request is on its way to see whether it works again"));
    }

    /// The endpoint answered.
    void succeed(const Pass& pass, TimePoint now) {
        update(now, [&] {
            ++counts_.successes;
            breaker_.succeed(pass.period);
            budget_.succeed();
            concurrency_.succeed();
        });
    }

    /// The endpoint failed. `why`: for people, e.g. `HTTP 503`. `pause`: the server asked not to be
    /// asked for this long.
    void fail(const Pass& pass, TimePoint now, std::string_view why, Duration pause = {}) {
        pause = std::min(pause, config_.max_retry_after);
        bool is_longer = false;
        update(now, [&] {
            ++counts_.failures;
            breaker_.fail(pass.period, now, why);
            concurrency_.fail(pass.started, now);
            is_longer = now + pause > std::max(now, not_before_);
            if (is_longer) {
                not_before_ = now + pause;
                pause_reason_ = why;
                ++counts_.pauses;
            }
        });
        if (is_longer)
            tell(ProtectionEvent::Kind::paused, now,
                 std::string(why) + ", Retry-After " + detail::describe_wait(pause));
    }

    /// The outcome says nothing about the endpoint.
    void abandon(const Pass& pass, TimePoint now) {
        update(now, [&] { breaker_.abandon(pass.period); });
    }

    /// The time at which a failed request is to be sent again; nothing if it must not. Takes from the
    /// budget. `attempts`: those made so far. `random`: in [0, 1).
    std::optional<TimePoint> plan_retry(std::size_t attempts, TimePoint now, TimePoint deadline,
                                        double random) {
        std::optional<TimePoint> at;
        {
            const std::lock_guard lock(mutex_);
            if (breaker_.state() != CircuitBreaker::State::closed)
                return std::nullopt;
            at = next_attempt(config_.retry, attempts, not_before_, random, now, deadline);
            if (!at)
                return std::nullopt;
            if (budget_.try_spend()) {
                ++counts_.retries;
            } else {
                ++counts_.retries_denied;
                at.reset();
            }
        }
        tell(at ? ProtectionEvent::Kind::retrying : ProtectionEvent::Kind::budget_exhausted, now,
             at ? "attempt " + std::to_string(attempts + 1) + " in " +
                      detail::describe_wait(*at - now)
                : std::string("too many requests have failed"));
        return at;
    }

    /// A request begins that may be hedged (see `Hedging`). Returns the time after which `try_hedge`
    /// may be asked about it; nothing if it is never hedged.
    std::optional<Duration> plan_hedge() {
        if (!config_.hedging.enabled)
            return std::nullopt;
        const std::lock_guard lock(mutex_);
        return hedging_.begin();
    }
    /// Takes the right to send a request a second time that has taken `waited` so far: a part of the
    /// share, and a token of the retry budget. Also `admit` must be asked.
    bool try_hedge(TimePoint now, Duration waited) {
        {
            const std::lock_guard lock(mutex_);
            if (breaker_.state() != CircuitBreaker::State::closed || !hedging_.try_hedge() ||
                !budget_.try_spend())
                return false;
            ++counts_.hedges;
        }
        tell(ProtectionEvent::Kind::hedging, now,
             "no answer within " + detail::describe_wait(waited));
        return true;
    }
    /// The second request was the first to be answered.
    void count_hedge_won() {
        const std::lock_guard lock(mutex_);
        ++counts_.hedges_won;
    }
    /// How long a request of `plan_hedge` took, or how long it has taken until its second one was
    /// answered.
    void note_latency(Duration latency) {
        if (!config_.hedging.enabled)
            return;
        const std::lock_guard lock(mutex_);
        hedging_.succeed(latency);
    }

    /// How many requests may be in flight now.
    std::size_t limit() const noexcept { return limit_.load(std::memory_order_relaxed); }

    /// The configuration.
    const ProtectionConfig& config() const noexcept { return config_; }

    /// All counters and states, at one moment.
    ProtectionStats stats() const {
        const std::lock_guard lock(mutex_);
        ProtectionStats stats = counts_;
        stats.breaker = breaker_.state();
        if (stats.breaker != CircuitBreaker::State::closed) {
            stats.open_since = breaker_.open_since();
            stats.reason = breaker_.reason();
        }
        if (stats.breaker == CircuitBreaker::State::open)
            stats.not_before = std::max(not_before_, breaker_.retry_at());
        else if (not_before_ != TimePoint::min())
            stats.not_before = not_before_;
        stats.concurrency_limit = limit();
        stats.retry_tokens = budget_.tokens();
        return stats;
    }

private:
    /// Changes the state under the lock, and tells of what the breaker and the
    /// concurrency limit did then.
    template <typename Change>
    void update(TimePoint now, Change change) {
        std::optional<CircuitBreaker::State> entered;
        std::string reason;
        std::size_t limit_before = 0;
        std::size_t limit_after = 0;
        {
            const std::lock_guard lock(mutex_);
            const CircuitBreaker::Period before = breaker_.period();
            limit_before = concurrency_.limit();
            change();
            if (not_before_ <= now)
                not_before_ = TimePoint::min();
            const bool is_closed = breaker_.state() == CircuitBreaker::State::closed;
            const bool is_calm = is_closed && not_before_ == TimePoint::min();
            calm_period_.store(is_calm ? breaker_.period() : 0, std::memory_order_relaxed);
            // A half-open breaker sends one request after the other.
            limit_after = concurrency_.limit();
            limit_.store(is_closed ? limit_after : 1, std::memory_order_relaxed);
            if (breaker_.period() != before) {
                entered = breaker_.state();
                if (entered == CircuitBreaker::State::open)
                    ++counts_.breaker_openings;
                if (!is_closed)
                    reason = breaker_.reason();
            }
        }
        if (entered)
            tell(detail::kind_of(*entered), now, std::move(reason));
        if (limit_after < limit_before)
            tell(ProtectionEvent::Kind::limit_lowered, now,
                 "at most " + std::to_string(limit_after) + " instead of " +
                     std::to_string(limit_before));
        else if (limit_after > limit_before && limit_after == max_concurrency_)
            tell(ProtectionEvent::Kind::limit_restored, now,
                 "at most " + std::to_string(limit_after));
    }

    /// Without the lock.
    void tell(ProtectionEvent::Kind kind, TimePoint now, std::string reason) const noexcept {
        if (!config_.on_event)
            return;
        try {
            config_.on_event(ProtectionEvent{kind, now, endpoint_, std::move(reason)});
        } catch (...) { // It only watches: what it throws must not fail a request.
        }
    }

    const ProtectionConfig config_;
    const std::string endpoint_;
    mutable std::mutex mutex_;
    CircuitBreaker breaker_;
    RetryBudget budget_;
    ConcurrencyLimit concurrency_;
    Hedging hedging_;
    const std::size_t max_concurrency_;
    /// The end of the pause that the server asked for.
    TimePoint not_before_ = TimePoint::min();
    std::string pause_reason_;
    /// Only its counters are used.
    ProtectionStats counts_;
    /// The breaker's period if it is closed and the server has not asked for a pause; otherwise 0. So
    /// that `admit` takes no lock while all is well.
    std::atomic<CircuitBreaker::Period> calm_period_;
    std::atomic<std::size_t> limit_;
};

} // namespace wva_metrics::resilience
