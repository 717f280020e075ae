// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/http/detail/body_options.hpp"
#include "wva_metrics/http/detail/call.hpp"
#include "wva_metrics/http/detail/call_registry.hpp"
#include "wva_metrics/http/detail/deadline.hpp"
#include "wva_metrics/http/detail/endpoint.hpp"
#include "wva_metrics/http/detail/guarded_send.hpp"
#include "wva_metrics/http/detail/hedge_race.hpp"
#include "wva_metrics/http/message.hpp"
#include "wva_metrics/reading.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <utility>

namespace wva_metrics::http::detail {

/// One attempt, and a second one at the same time if the answer takes unusually long; see
/// `resilience::Hedging`. The first answer wins, and the other attempt's connection is closed. If a
/// sink receives the answer, its first piece decides.
///
/// Both run on the strand of the first call, so nothing here needs a lock.
template <typename Executor>
class HedgedSend {
public:
    using EndpointPtr = std::shared_ptr<Endpoint<Executor>>;
    using CallPtr = std::shared_ptr<Call<Executor>>;

    /// As `GuardedSend::run`. Not for streams.
    static asio::awaitable<Tried> run(const EndpointPtr& endpoint, const CallPtr& call,
                                      const Request& request, const Deadline& deadline,
                                      const BodyOptions& options) {
        const auto race = std::make_shared<Race>(call, request, deadline, options);
        const typename Race::End end(*race);
        const BodyOptions first_options = Race::options_of(race, *call);
        std::optional<TimePoint> sent_at;
        SendRules rules;
        rules.before_sending = [&] {
            sent_at = now();
            if (const std::optional<Duration> delay = endpoint->guard.plan_hedge())
                asio::co_spawn(call->strand(), send_second(endpoint, race, *delay), asio::detached);
            return true;
        };
        Tried first = co_await GuardedSend<Executor>::run(endpoint, *call, request, deadline,
                                                          first_options, rules);
        const bool is_outrun = call->is_outrun();
        // How long an outrun request would have taken is not known, but it is among the longest.
        if (sent_at && (first.is_answer || is_outrun))
            endpoint->guard.note_latency(now() - *sent_at);
        const bool is_decided = first.is_answer || call->is_aborted() || !race->is_second_sent;
        if (!is_outrun && is_decided)
            co_return first;
        co_await wait_for_second(*endpoint, *call, *race);
        if (race->answer) {
            endpoint->guard.count_hedge_won();
            co_return *std::move(race->answer);
        }
        if (call->is_aborted())
            first.response = endpoint->aborted_error();
        co_return first;
    }

private:
    using Race = HedgeRace<Executor>;
    using RacePtr = std::shared_ptr<Race>;

    static TimePoint now() { return std::chrono::steady_clock::now(); }

    /// The second attempt has the same deadline, so that of the call itself is not needed.
    static asio::awaitable<void> wait_for_second(Endpoint<Executor>& endpoint, Call<Executor>& call,
                                                 const Race& race) {
        endpoint.calls->expire_at(call, TimePoint::max());
        for (;;) {
            call.resume(); // The second attempt stops the call if it wins, also meanwhile.
            if (race.is_second_over || call.is_stopped())
                co_return;
            co_await call.wait();
        }
    }

    static asio::awaitable<void> send_second(EndpointPtr endpoint, RacePtr race, Duration delay) {
        const typename CallRegistry<Executor>::Registration registration(*endpoint->calls,
                                                                         *race->second);
        try {
            if (registration.is_open())
                co_await run_second(endpoint, race, delay);
        } catch (const std::exception&) { // The first attempt goes on alone.
        }
        race->is_second_over = true;
        race->first->post_wake();
    }

    static asio::awaitable<void> run_second(const EndpointPtr& endpoint, const RacePtr& race,
                                            Duration delay) {
        Call<Executor>& call = *race->second;
        endpoint->calls->expire_at(call, now() + delay);
        while (!call.is_stopped())
            co_await call.wait();
        if (!race->is_open())
            co_return;
        const Deadline deadline = race->deadline();
        endpoint->calls->expire_at(call, deadline.at);
        // The first attempt may end, and its caller may go, while the second still closes.
        const Request request = race->request();
        const BodyOptions options = Race::options_of(race, call);
        SendRules rules;
        rules.may_queue = false;
        rules.before_sending = [&] {
            race->is_second_sent = race->is_open() && endpoint->guard.try_hedge(now(), delay);
            return race->is_second_sent;
        };
        Tried tried =
            co_await GuardedSend<Executor>::run(endpoint, call, request, deadline, options, rules);
        race->finish_second(std::move(tried));
    }
};

} // namespace wva_metrics::http::detail
