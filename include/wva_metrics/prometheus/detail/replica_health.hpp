// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/clean_text.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/format_duration.hpp"
#include "wva_metrics/prometheus/replica_stats.hpp"
#include "wva_metrics/reading.hpp"
#include "wva_metrics/resilience/endpoint_choice.hpp"
#include "wva_metrics/resilience/protection_config.hpp"
#include "wva_metrics/resilience/protection_event.hpp"
#include "wva_metrics/resilience/retry_budget.hpp"
#include "wva_metrics/resilience/retry_policy.hpp"

#include <chrono>
#include <cstddef>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics::prometheus::detail {

/// What the queries of a client know of its replicas: which one is asked, what each said last, and how
/// many failed queries they bear together once more. It does no I/O, and is told the time and each
/// outcome.
///
/// **Threads:** safe.
class ReplicaHealth {
public:
    using Set = resilience::EndpointChoice::Set;

    /// How much is kept of the text of a failure.
    static constexpr std::size_t max_failure_bytes = 300;

    /// `endpoints`: from 1 to `EndpointChoice::max_endpoints`, the preferred ones first.
    ReplicaHealth(resilience::ProtectionConfig config, const std::vector<std::string>& endpoints)
        : config_(std::move(config)), replicas_(endpoints.size()),
          choice_(endpoints.size(), config_.breaker.first_pause, config_.breaker.max_pause),
          budget_(config_.retry_budget) {
        for (std::size_t i = 0; i < endpoints.size(); ++i)
            replicas_[i].endpoint = endpoints[i];
    }

    std::size_t size() const noexcept { return replicas_.size(); }
    std::size_t current() const {
        const std::lock_guard lock(mutex_);
        return choice_.current();
    }

    /// These are as those of `EndpointChoice`.
    std::optional<std::size_t> claim_trial(TimePoint now) {
        const std::lock_guard lock(mutex_);
        return choice_.claim_trial(now);
    }
    std::optional<std::size_t> claim_other(const Set& tried, TimePoint now) {
        const std::lock_guard lock(mutex_);
        return choice_.claim_other(tried, now);
    }
    bool has_other(const Set& tried, TimePoint now) const {
        const std::lock_guard lock(mutex_);
        return choice_.has_other(tried, now);
    }

    /// It answered a query that was sent at `started`.
    void succeed(std::size_t replica, TimePoint started, TimePoint now) {
        update(now, "it answers again", [&] {
            ++replicas_[replica].answered;
            budget_.succeed();
            choice_.succeed(replica, started, now);
        });
    }

    /// It failed. `not_before`: nothing is sent to it before.
    void fail(std::size_t replica, TimePoint started, TimePoint now, const Error& error,
              TimePoint not_before) {
        const std::string text = describe(error);
        update(now, replicas_[replica].endpoint + " failed: " + text, [&] {
            ++replicas_[replica].failed;
            replicas_[replica].last_failure = text;
            choice_.fail(replica, started, now, not_before);
        });
    }

    /// When a query that no replica could answer is to be sent again; nothing if it must not. Takes
    /// from the budget. `attempts`: those made so far, of each replica. `random`: in [0, 1).
    std::optional<TimePoint> plan_retry(std::size_t attempts, TimePoint not_before, TimePoint now,
                                        TimePoint deadline, double random) {
        std::optional<TimePoint> at;
        bool has_budget = false;
        std::size_t asked = 0;
        {
            const std::lock_guard lock(mutex_);
            at = resilience::next_attempt(config_.retry, attempts, not_before, random, now,
                                          deadline);
            has_budget = at && budget_.try_spend();
            asked = choice_.current();
        }
        if (!at)
            return std::nullopt;
        using Kind = resilience::ProtectionEvent::Kind;
        tell(has_budget ? Kind::retrying : Kind::budget_exhausted, now, asked,
             has_budget
                 ? "none of the replicas answered; attempt " + std::to_string(attempts + 1) +
                       " in " +
                       format_duration(std::chrono::ceil<std::chrono::milliseconds>(*at - now))
                 : std::string("too many requests to all replicas have failed"));
        return has_budget ? at : std::nullopt;
    }

    /// A query that a replica has failed is sent to another one.
    void tell_retry(std::size_t failed, std::size_t asked, TimePoint now) const {
        tell(resilience::ProtectionEvent::Kind::retrying, now, asked,
             "instead of " + replicas_[failed].endpoint + ", which failed");
    }

    /// The text of a failure, as it is told of one replica among others.
    static std::string describe(const Error& error) {
        return wva_metrics::detail::clean_text(error.code.message() + ": " + error.message,
                                               max_failure_bytes);
    }

    /// Why a query failed. `said`: what each replica said to this query; empty if it was not asked.
    std::string describe_all(std::span<const std::string> said) const {
        const std::lock_guard lock(mutex_);
        std::string text = "none of the " + std::to_string(size()) + " replicas answered";
        for (std::size_t i = 0; i < size(); ++i) {
            text += (i == 0 ? ": " : "; ") + replicas_[i].endpoint;
            if (!said[i].empty())
                text += ": " + said[i];
            else if (!choice_.is_healthy(i))
                text += " was not asked, because it failed before: " + replicas_[i].last_failure;
            else
                text += " was not asked, because no time was left";
        }
        return text;
    }

    /// All of it at one moment, without `ReplicaStats::protection`.
    std::vector<ReplicaStats> stats() const {
        const std::lock_guard lock(mutex_);
        std::vector<ReplicaStats> all = replicas_;
        for (std::size_t i = 0; i < all.size(); ++i) {
            all[i].is_current = i == choice_.current();
            all[i].is_healthy = choice_.is_healthy(i);
        }
        return all;
    }

private:
    /// Changes the state under the lock, and tells if another replica is asked since then.
    template <typename Change>
    void update(TimePoint now, std::string_view reason, Change change) {
        std::size_t chosen = 0;
        {
            const std::lock_guard lock(mutex_);
            const std::size_t before = choice_.current();
            change();
            chosen = choice_.current();
            if (chosen == before || !config_.on_event)
                return;
        }
        tell(resilience::ProtectionEvent::Kind::replica_chosen, now, chosen, std::string(reason));
    }

    /// Without a lock held.
    void tell(resilience::ProtectionEvent::Kind kind, TimePoint now, std::size_t replica,
              std::string reason) const {
        if (!config_.on_event)
            return;
        try {
            config_.on_event({kind, now, replicas_[replica].endpoint, std::move(reason)});
        } catch (...) { // It only watches: what it throws must not fail a query.
        }
    }

    const resilience::ProtectionConfig config_;
    mutable std::mutex mutex_;
    /// Its endpoints never change.
    std::vector<ReplicaStats> replicas_;
    resilience::EndpointChoice choice_;
    resilience::RetryBudget budget_;
};

} // namespace wva_metrics::prometheus::detail
