// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/detail/prometheus_impl.hpp"
#include "wva_metrics/backend/detail/server_clock.hpp"
#include "wva_metrics/detail/saturating_add.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/priority.hpp"
#include "wva_metrics/prometheus/answer.hpp"
#include "wva_metrics/prometheus/flavor.hpp"
#include "wva_metrics/prometheus/query_options.hpp"
#include "wva_metrics/promql/raw_query.hpp"

#include <boost/asio/awaitable.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace wva_metrics::detail {

/// Sends the queries of one call of a backend, all with the same deadline.
template <typename Executor>
class RoundClient {
public:
    /// Interactive, with a deadline of `batch_timeout` from now.
    explicit RoundClient(std::shared_ptr<PrometheusImpl<Executor>> impl)
        : RoundClient(impl,
                      wva_metrics::detail::saturating_add(std::chrono::steady_clock::now(),
                                                          impl->config.batch_timeout),
                      Priority::interactive) {}
    RoundClient(std::shared_ptr<PrometheusImpl<Executor>> impl, TimePoint deadline,
                Priority priority)
        : impl_(std::move(impl)), started_at_(std::chrono::steady_clock::now()),
          deadline_(deadline), priority_(std::make_shared<std::atomic<Priority>>(priority)) {}

    /// What this object and its copies send from now on is interactive. Any thread.
    void promote() const noexcept {
        priority_->store(Priority::interactive, std::memory_order_relaxed);
    }

    /// For queries without which the answers are complete enough: they have half of the time that is
    /// left, and at most that of one attempt, so that a slow one does not make the others late.
    RoundClient hurried() const {
        const TimePoint now = std::chrono::steady_clock::now();
        RoundClient result = *this;
        result.deadline_ = now + std::min<Duration>(impl_->config.client.http.timeouts.attempt,
                                                    (deadline_ - now) / 2);
        return result;
    }

    /// The state that the calls share.
    PrometheusImpl<Executor>& impl() const noexcept { return *impl_; }
    TimePoint started_at() const noexcept { return started_at_; }

    /// `sink` is called for series even if the answer turns out to be an error: use them as values
    /// only after success.
    ///
    /// It is called on the client's executor, not on the round's strand, until the query has
    /// completed. So it must own what it fills, and use nothing else that may change. What belongs
    /// to `impl()` lives as long as the sink.
    template <typename Sink>
    asio::awaitable<Result<prometheus::AnswerInfo>>
    send(std::string promql, Sink sink, prometheus::QueryOptions options = {}) const {
        options.priority = priority_->load(std::memory_order_relaxed);
        options.keep_replica = true;
        if (is_victoria_metrics())
            options.conflict = prometheus::Conflict::highest;
        return impl_->client.query(
            std::move(promql),
            [impl = impl_, sink = std::move(sink)](const prometheus::SeriesView& series) {
                sink(series);
            },
            options, deadline_);
    }

    /// Returns to a preferred replica that works again. Before the first query: all that follow stay
    /// with one replica, unless it fails.
    asio::awaitable<void> choose_replica() const {
        co_await impl_->client.prefer_replica(deadline_);
    }

    /// Sends a query that ends with `or vector(0)`, and passes the other elements of its answer to
    /// the sink, as `send` does. Completes with the time at which the server evaluated it.
    template <typename Sink>
    asio::awaitable<Result<ServerClock>> send_for_time(std::string promql, Sink sink,
                                                       bool& has_warnings) const {
        ServerClock clock;
        clock.requested = std::chrono::steady_clock::now();
        const auto time = std::make_shared<std::optional<samples::ServerTime>>();
        const auto add = [time, sink = std::move(sink)](const prometheus::SeriesView& series) {
            if (!series.samples.empty())
                *time = series.samples.back().time;
            if (!series.labels.empty())
                sink(series);
        };
        const auto answer = co_await send(std::move(promql), add);
        if (answer.has_error())
            co_return answer.error();
        if (!*time)
            co_return Error(Errc::bad_response, "the answer to a query for its time is empty",
                            answer->endpoint);
        clock.evaluated = **time;
        has_warnings = !answer->warnings.empty();
        co_return clock;
    }

    /// Asks for nothing but the server's time.
    asio::awaitable<Result<ServerClock>> ask_time() const {
        const auto ignore = [](const prometheus::SeriesView&) {};
        bool has_warnings = false;
        co_return co_await send_for_time(std::string(promql::time_query), ignore, has_warnings);
    }

    /// Asks whether kube-state-metrics reports pods of any namespace. Empty if that cannot be learned.
    asio::awaitable<std::optional<bool>> ask_kube_state_reports() const {
        const auto pods = std::make_shared<double>(0);
        const auto add = [pods](const prometheus::SeriesView& series) {
            if (!series.samples.empty())
                *pods = series.samples.back().value;
        };
        const RoundClient client = hurried();
        const auto answer =
            co_await client.send(impl_->kube_state.current().queries.reporting(), add);
        co_return answer.has_value() ? std::optional(*pods > 0) : std::nullopt;
    }

    /// Learns the make of the server, if it is time to. A server whose make cannot be learned is
    /// queried like before, at first like Prometheus.
    asio::awaitable<void> learn_flavor() const {
        // A proxy that lets this request hang must not take the time of the queries.
        constexpr int share = 3;
        const TimePoint deadline = started_at_ + (deadline_ - started_at_) / share;
        // A replica that fails here is left for another one, which may be of another make.
        for (std::size_t asked = 0; asked < impl_->flavors.size(); ++asked) {
            const std::size_t replica = impl_->client.current_replica();
            FlavorMemory& memory = impl_->flavors.of(replica);
            if (!memory.claim(started_at_))
                co_return;
            const auto make = co_await impl_->client.flavor(deadline);
            if (make.has_error())
                memory.fail(started_at_);
            else
                memory.learn(make->flavor, started_at_);
            if (impl_->client.current_replica() == replica)
                co_return;
        }
    }

    bool is_victoria_metrics() const {
        return impl_->flavor() == prometheus::Flavor::victoria_metrics;
    }

private:
    std::shared_ptr<PrometheusImpl<Executor>> impl_;
    TimePoint started_at_;
    TimePoint deadline_;
    /// Shared by the copies.
    std::shared_ptr<std::atomic<Priority>> priority_;
};

} // namespace wva_metrics::detail
