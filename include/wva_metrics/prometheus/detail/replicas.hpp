// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/random_source.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/prometheus/answer.hpp"
#include "wva_metrics/prometheus/client_config.hpp"
#include "wva_metrics/prometheus/detail/client_impl.hpp"
#include "wva_metrics/prometheus/detail/owned_sink.hpp"
#include "wva_metrics/prometheus/detail/query_fault.hpp"
#include "wva_metrics/prometheus/detail/replica_health.hpp"
#include "wva_metrics/prometheus/flavor.hpp"
#include "wva_metrics/prometheus/query_options.hpp"
#include "wva_metrics/reading.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics::prometheus::detail {

/// The servers of a client, of which one is asked after the other until one answers. Like them, it
/// outlives the client while queries are pending.
///
/// **Threads:** safe.
template <typename Executor>
class Replicas {
public:
    using Server = ClientImpl<Executor>;
    using Ptr = std::shared_ptr<Replicas>;

    /// A trial of a replica that failed may take this long: it asks for nothing, so one that needs
    /// longer does not work again.
    static constexpr Duration max_trial_time = std::chrono::seconds(1);

    Replicas(const ClientConfig& config, std::vector<std::shared_ptr<Server>> servers)
        : protection_(config.http.protection), servers_(std::move(servers)),
          health_(protection_, endpoints_of(servers_)) {}

    const std::string& endpoint() const noexcept { return servers_.front()->endpoint(); }
    const ReplicaHealth& health() const noexcept { return health_; }

    static asio::awaitable<Result<AnswerInfo>> query(Ptr self, std::string promql, OwnedSink given,
                                                     QueryOptions options, TimePoint deadline) {
        const OwnedSink sink = std::move(given); // Destroyed before the query completes.
        if (!options.keep_replica) {
            // A coroutine only if there is something to do: each costs as much as a small step.
            if (const std::optional<std::size_t> due = self->health_.claim_trial(now())) {
                const Result<void> returned = co_await try_again(self, *due, deadline);
                if (!returned)
                    co_return returned.error();
            }
        }
        Course course;
        std::size_t replica = self->health_.current();
        while (true) {
            const Attempt attempt = self->begin(replica, course, deadline);
            Answered answered = co_await Server::query(self->servers_[replica], promql, sink,
                                                       options, attempt.until);
            if (answered.result) {
                self->learn(attempt, answered);
                answered.result->endpoint = self->servers_[replica]->endpoint();
                co_return std::move(answered.result);
            }
            const std::optional<Next> next = self->go_on(attempt, answered, course, deadline);
            if (!next)
                co_return self->explain(std::move(answered), course);
            const bool was_cancelled = next->at > now() && !(co_await sleep_until(next->at));
            if (was_cancelled)
                co_return Error(Errc::aborted, "the query was cancelled", self->endpoint());
            replica = next->replica;
        }
    }

    /// Asks a preferred replica that failed, if it is time to, whether it works again. An error only if
    /// the call was cancelled, or the client destroyed.
    static asio::awaitable<Result<void>> prefer(Ptr self, TimePoint deadline) {
        const std::optional<std::size_t> due = self->health_.claim_trial(now());
        if (!due)
            co_return Result<void>();
        co_return co_await try_again(self, *due, deadline);
    }
    /// Asks this replica, whose trial was claimed, whether it works again.
    static asio::awaitable<Result<void>> try_again(Ptr self, std::size_t replica,
                                                   TimePoint deadline) {
        constexpr int share = 4;
        const TimePoint started = now();
        const Attempt attempt{replica, started,
                              started +
                                  std::min<Duration>(max_trial_time, (deadline - started) / share)};
        const OwnedSink ignore([](const SeriesView&) {});
        const Answered answered = co_await Server::query(self->servers_[replica], "vector(1)",
                                                         ignore, QueryOptions(), attempt.until);
        self->learn(attempt, answered);
        if (answered.result.has_error() && answered.result.error().is(Errc::aborted))
            co_return answered.result.error();
        co_return Result<void>();
    }

    /// Of the current replica.
    static asio::awaitable<Result<ServerMake>> flavor(Ptr self, TimePoint deadline) {
        const TimePoint started = now();
        const std::size_t replica = self->health_.current();
        Result<ServerMake> make = co_await Server::flavor(self->servers_[replica], deadline);
        // One that is late may be late with this alone, e.g. because a proxy does not pass it on.
        if (make.has_error() && !make.error().is(Errc::timeout) &&
            find_fault(make.error()) == QueryFault::server)
            self->fail(replica, started, make.error());
        co_return make;
    }

private:
    using Answered = typename Server::Answered;

    /// One query to one replica.
    struct Attempt {
        std::size_t replica = 0;
        TimePoint started{};
        /// Its deadline.
        TimePoint until{};
    };
    /// What has been done for one query of a caller.
    struct Course {
        /// The replicas that were asked since the last wait.
        ReplicaHealth::Set tried{};
        /// What each said; empty if it was not asked. Without elements before the first failure.
        std::vector<std::string> said{};
        std::optional<Error> first_failure{};
        /// How often the first of them was asked.
        std::size_t rounds = 1;
    };
    /// The next attempt.
    struct Next {
        std::size_t replica = 0;
        TimePoint at{};
    };

    static TimePoint now() { return std::chrono::steady_clock::now(); }

    static std::vector<std::string>
    endpoints_of(const std::vector<std::shared_ptr<Server>>& servers) {
        std::vector<std::string> endpoints;
        endpoints.reserve(servers.size());
        for (const auto& server : servers)
            endpoints.push_back(server->endpoint());
        return endpoints;
    }

    /// False if it was cancelled.
    static asio::awaitable<bool> sleep_until(TimePoint time) {
        asio::steady_timer timer(co_await asio::this_coro::executor, time);
        const auto [error] = co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
        co_return !error;
    }

    /// While another replica could be asked, one has half of the time that is left: if it hangs, there
    /// is time for the other.
    Attempt begin(std::size_t replica, Course& course, TimePoint deadline) const {
        const TimePoint start = now();
        course.tried.set(replica);
        const bool has_other = health_.has_other(course.tried, start);
        return {replica, start, has_other ? start + (deadline - start) / 2 : deadline};
    }

    /// Notes what the outcome says about the replica.
    void learn(const Attempt& attempt, const Answered& answered) {
        const TimePoint end = now();
        if (answered.result) {
            health_.succeed(attempt.replica, attempt.started, end);
            return;
        }
        const Error& error = answered.result.error();
        // A deadline that was soon over says more about the caller.
        const bool was_hurried = error.is(Errc::timeout) && end >= attempt.until &&
                                 end - attempt.started < protection_.slow_after;
        if (answered.is_fault_of_server && !was_hurried)
            fail(attempt.replica, attempt.started, error);
        else if (!answered.is_fault_of_server && error.http_status != 0)
            health_.succeed(attempt.replica, attempt.started, end);
    }
    void fail(std::size_t replica, TimePoint started, const Error& error) {
        health_.fail(replica, started, now(), error, not_before(replica));
    }

    /// Where, and when, a query that failed is sent again. Another replica that is not known to fail is
    /// asked at once; if there is none, the current one after a wait, as far as the budget goes.
    std::optional<Next> go_on(const Attempt& attempt, const Answered& answered, Course& course,
                              TimePoint deadline) {
        learn(attempt, answered);
        const Error& error = answered.result.error();
        const TimePoint end = now();
        if (!answered.is_fault_of_server || health_.size() == 1)
            return std::nullopt;
        course.said.resize(health_.size());
        course.said[attempt.replica] = ReplicaHealth::describe(error);
        if (!course.first_failure)
            course.first_failure = error;
        if (answered.has_series || deadline - end < protection_.retry.min_time)
            return std::nullopt;
        if (const auto other = health_.claim_other(course.tried, end)) {
            health_.tell_retry(attempt.replica, *other, end);
            return Next{*other, end};
        }
        const std::size_t current = health_.current();
        if (!may_pass(error) || is_breaker_open(current))
            return std::nullopt;
        const std::optional<TimePoint> at =
            health_.plan_retry(course.rounds, not_before(current), end, deadline, random_.next());
        if (!at)
            return std::nullopt;
        ++course.rounds;
        course.tried.reset();
        return Next{current, *at};
    }

    /// The error of a query that failed, which names all replicas unless it is about the query.
    Error explain(Answered answered, const Course& course) const {
        if (!answered.is_fault_of_server || !course.first_failure)
            return std::move(answered.result).error();
        Error error = *course.first_failure;
        error.message = health_.describe_all(course.said);
        return error;
    }

    TimePoint not_before(std::size_t replica) const {
        const auto stats = servers_[replica]->protection_stats();
        return stats ? stats->not_before.value_or(TimePoint::min()) : TimePoint::min();
    }
    bool is_breaker_open(std::size_t replica) const {
        const auto stats = servers_[replica]->protection_stats();
        return stats && stats->breaker != resilience::CircuitBreaker::State::closed;
    }

    const resilience::ProtectionConfig protection_;
    const std::vector<std::shared_ptr<Server>> servers_;
    ReplicaHealth health_;
    wva_metrics::detail::RandomSource random_;
};

} // namespace wva_metrics::prometheus::detail
