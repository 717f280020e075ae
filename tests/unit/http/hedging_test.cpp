// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/http/client.hpp"

#include "support/http_calls.hpp"
#include "support/http_pair.hpp"
#include "support/http_streams.hpp"
#include "support/scripted_server.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test_support;
using namespace std::chrono_literals;
using http::ClientConfig;
using http::Response;
using resilience::ProtectionEvent;

namespace {

/// What the server does with the next request.
enum class Move {
    answer,
    /// Waits until another request has come, then answers.
    answer_after_next,
    fail_after_next,
    /// Answers much later than the others.
    answer_late,
    drop,
    fail,
    /// Sends the header and a piece of the body, and nothing more.
    begin,
    /// Never answers, until the client closes the connection.
    hold,
};

/// The plan of a server, and what came of it.
struct Plan {
    std::deque<Move> moves;
    std::size_t requests = 0;
    /// Connections that the client closed while its request was held.
    std::size_t left = 0;
};

asio::awaitable<void> wait_for_next(const Plan& plan, ScriptedServer::Peer& peer) {
    for (const std::size_t before = plan.requests; plan.requests == before;)
        co_await peer.wait(1ms);
}

ScriptedServer::Script follow(std::shared_ptr<Plan> plan) {
    return [plan](ScriptedServer::PeerPtr peer) -> asio::awaitable<void> {
        for (;;) {
            co_await peer->read_request();
            const std::string body = std::to_string(++plan->requests);
            Move move = Move::answer;
            if (!plan->moves.empty()) {
                move = plan->moves.front();
                plan->moves.pop_front();
            }
            if (move == Move::answer_after_next || move == Move::fail_after_next)
                co_await wait_for_next(*plan, *peer);
            if (move == Move::answer_late)
                co_await peer->wait(5ms);
            if (move == Move::drop)
                co_return;
            if (move == Move::begin)
                co_await peer->send(chunked_head() + chunk(body));
            if (move == Move::begin || move == Move::hold) {
                co_await peer->wait_for_close();
                ++plan->left;
                co_return;
            }
            const bool fails = move == Move::fail || move == Move::fail_after_next;
            std::string answer = http_answer(body, "", fails ? "503 x" : "200 OK");
            co_await peer->send(std::move(answer));
        }
    };
}

ClientConfig hedging_config() {
    ClientConfig config;
    config.protection.hedging = {.enabled = true, .max_share = 0.5, .min_delay = 1ms};
    config.protection.retry.attempts = 1;
    config.protection.breaker.enabled = false;
    config.protection.concurrency.adaptive = false;
    return config;
}

/// A client that knows how long requests take, and a server that follows a plan from then on.
struct HedgedPair {
    explicit HedgedPair(ClientConfig config = hedging_config())
        : pair({follow(plan)}, std::move(config)) {
        // So that the client knows how long requests take. Some may be hedged.
        for (int i = 0; i < 25; ++i)
            pair.send_request().value();
        run_ready(pair.context);
        before = stats();
        first = plan->requests;
    }

    std::size_t hedges() const { return stats().hedges - before.hedges; }
    std::size_t won() const { return stats().hedges_won - before.hedges_won; }
    std::size_t requests() const { return plan->requests - first; }
    resilience::ProtectionStats stats() const { return pair.client->protection_stats(); }
    void wait_until_left(std::size_t count) {
        run_until(pair.context, [&] { return plan->left == count; });
    }
    std::shared_ptr<StartedCall> start(TimePoint deadline = far_deadline()) {
        return start_call(pair.context, *pair.client, root_request, deadline);
    }

    std::shared_ptr<Plan> plan = std::make_shared<Plan>();
    HttpPair pair;
    resilience::ProtectionStats before;
    std::size_t first = 0;
};

TimePoint soon() {
    return std::chrono::steady_clock::now() + 60ms;
}

} // namespace

TEST_CASE("without hedging no request is ever sent a second time") {
    ClientConfig config = hedging_config();
    config.protection.hedging.enabled = false;
    HedgedPair hedged(config);
    hedged.plan->moves = {Move::hold};
    CHECK(finish_call(hedged.pair.context, hedged.start(soon())).error().is(Errc::timeout));
    CHECK(hedged.requests() == 1);
    CHECK(hedged.pair.server.requests().size() == 26);
    CHECK(hedged.stats().hedges == 0);
}

TEST_CASE("a slow request is sent a second time, and the first answer wins") {
    std::vector<ProtectionEvent> told;
    ClientConfig config = hedging_config();
    config.protection.on_event = [&told](const ProtectionEvent& event) { told.push_back(event); };
    HedgedPair hedged(config);
    SECTION("the second") {
        hedged.plan->moves = {Move::hold, Move::answer};
        told.clear();
        CHECK(hedged.pair.send_request()->body == std::to_string(hedged.first + 2));
        CHECK(hedged.won() == 1);
        REQUIRE(told.size() == 1);
        CHECK(told[0].kind == ProtectionEvent::Kind::hedging);
        CHECK(told[0].endpoint == hedged.pair.server.url());
        CHECK(told[0].reason.starts_with("no answer within "));
    }
    SECTION("the first") {
        hedged.plan->moves = {Move::answer_after_next, Move::hold};
        CHECK(hedged.pair.send_request()->body == std::to_string(hedged.first + 1));
        CHECK(hedged.won() == 0);
    }
    CHECK(hedged.hedges() == 1);
    // The connection of the other one is closed.
    hedged.wait_until_left(1);
    CHECK(hedged.requests() == 2);
    CHECK(hedged.stats().failures == 0);
    CHECK(hedged.pair.send_request().has_value());
}

TEST_CASE("an attempt that fails leaves the answer to the other one") {
    HedgedPair hedged;
    SECTION("the first attempt") {
        hedged.plan->moves = {Move::fail_after_next, Move::answer_after_next};
        const auto call = hedged.start();
        run_until(hedged.pair.context, [&] { return hedged.stats().failures == 1; });
        CHECK_FALSE(call->is_over());
        ++hedged.plan->requests; // What the second attempt waits for.
        CHECK(finish_call(hedged.pair.context, call)->body == std::to_string(hedged.first + 2));
        CHECK(hedged.won() == 1);
    }
    SECTION("the second attempt") {
        const Move move = GENERATE(Move::drop, Move::fail);
        hedged.plan->moves = {Move::hold, move};
        const auto call = hedged.start(soon());
        run_until(hedged.pair.context, [&] { return hedged.stats().failures >= 1; });
        CHECK_FALSE(call->is_over());
        CHECK(finish_call(hedged.pair.context, call).error().is(Errc::timeout));
        CHECK(hedged.requests() == 2);
        CHECK(hedged.won() == 0);
    }
}

TEST_CASE("a request whose two attempts fail is retried as if it had been sent once") {
    ClientConfig config = hedging_config();
    config.protection.retry = {.attempts = 2, .first_backoff = 1ms, .max_backoff = 1ms};
    HedgedPair hedged(config);
    SECTION("and answered then") {
        hedged.plan->moves = {Move::fail_after_next, Move::fail, Move::answer};
        CHECK(hedged.pair.send_request()->status == 200);
        CHECK(hedged.requests() == 3);
    }
    SECTION("or not") {
        hedged.plan->moves = {Move::fail_after_next, Move::fail, Move::fail_after_next, Move::fail};
        CHECK(hedged.pair.send_request()->status == 503);
        CHECK(hedged.requests() == 4);
    }
    CHECK(hedged.stats().retries == 1);
}

TEST_CASE("both attempts end at the caller's deadline, and when the caller leaves") {
    HedgedPair hedged;
    hedged.plan->moves = {Move::hold, Move::hold};
    SECTION("the deadline") {
        CHECK(finish_call(hedged.pair.context, hedged.start(soon())).error().is(Errc::timeout));
        CHECK(hedged.requests() == 2);
        hedged.wait_until_left(2);
    }
    SECTION("cancellation") {
        const auto call = hedged.start();
        run_until(hedged.pair.context, [&] { return hedged.requests() == 2; });
        call->cancel.emit(asio::cancellation_type::terminal);
        run_until(hedged.pair.context, [&] { return call->is_over(); });
        CHECK(call->was_cancelled());
        hedged.wait_until_left(2);
    }
    SECTION("cancellation after the first attempt has failed") {
        hedged.plan->moves = {Move::fail_after_next, Move::hold};
        const auto call = hedged.start();
        run_until(hedged.pair.context, [&] { return hedged.stats().failures == 1; });
        call->cancel.emit(asio::cancellation_type::terminal);
        run_until(hedged.pair.context, [&] { return call->is_over(); });
        CHECK(call->was_cancelled());
        hedged.wait_until_left(1);
    }
    SECTION("the end of the client") {
        const auto call = hedged.start();
        run_until(hedged.pair.context, [&] { return hedged.requests() == 2; });
        hedged.pair.client.reset();
        run_until(hedged.pair.context, [&] { return call->is_over(); });
        CHECK(call->was_cancelled());
        hedged.wait_until_left(2);
    }
}

TEST_CASE("a context may be destroyed while two attempts race") {
    auto plan = std::make_shared<Plan>();
    auto context = std::make_unique<asio::io_context>();
    auto server = std::make_unique<ScriptedServer>(*context, std::vector{follow(plan)});
    ClientConfig config = hedging_config();
    config.url = server->url();
    http::Client client(context->get_executor(), config);
    for (int i = 0; i < 25; ++i)
        send_request(*context, client).value();
    const std::size_t before = plan->requests;
    plan->moves = {Move::hold, Move::hold};
    const auto call = start_call(*context, client);
    run_until(*context, [&] { return plan->requests >= before + 2; });
    context.reset();
    CHECK_FALSE(call->result.has_value());
}

TEST_CASE("however slow the server is, only the set share of a thousand requests is hedged") {
    ClientConfig config = hedging_config();
    // Half of the requests are slower than this.
    config.protection.hedging = {
        .enabled = true, .quantile = 0.5, .max_share = 0.05, .min_delay = 0ms};
    config.protection.retry_budget.max_tokens = 1000;
    const auto plan = std::make_shared<Plan>();
    HttpPair pair({follow(plan)}, config);
    for (int i = 0; i < 1000; ++i) {
        if (i % 25 == 24)
            plan->moves = {Move::answer_late};
        pair.send_request().value();
    }
    const std::uint64_t hedges = pair.client->protection_stats().hedges;
    CHECK(hedges > 0);
    CHECK(hedges <= 51);
    CHECK(pair.server.requests().size() <= 1000 + hedges);
}

TEST_CASE("hedging spends the retry budget, and obeys the concurrency limit") {
    ClientConfig config = hedging_config();
    SECTION("the budget") {
        config.protection.retry_budget = {.max_tokens = 2, .tokens_per_success = 0};
        HedgedPair hedged(config);
        hedged.plan->moves = {Move::hold};
        if (hedged.stats().hedges == 0)
            CHECK(hedged.pair.send_request().has_value());
        CHECK(hedged.stats().retry_tokens == 1);
        hedged.plan->moves = {Move::hold};
        CHECK(finish_call(hedged.pair.context, hedged.start(soon())).error().is(Errc::timeout));
        CHECK(hedged.stats().hedges == 1);
    }
    SECTION("the limit") {
        config.limits.max_connections = 1;
        HedgedPair hedged(config);
        hedged.plan->moves = {Move::hold};
        CHECK(finish_call(hedged.pair.context, hedged.start(soon())).error().is(Errc::timeout));
        CHECK(hedged.requests() == 1);
        CHECK(hedged.stats().hedges == 0);
    }
}

TEST_CASE("a sink receives the body of one attempt") {
    HedgedPair hedged;
    const auto received = std::make_shared<Received>();
    const auto send = [&](TimePoint deadline) {
        return finish_call(
            hedged.pair.context,
            start_call(hedged.pair.context,
                       hedged.pair.client->send(root_request, deadline, keep_in(received))));
    };
    SECTION("that of the second, if it is the first to have a piece") {
        hedged.plan->moves = {Move::hold, Move::answer};
        CHECK(send(far_deadline()).has_value());
        CHECK(received->text == std::to_string(hedged.first + 2));
        CHECK(hedged.won() == 1);
    }
    SECTION("an answer that has begun to arrive is not asked for again") {
        hedged.plan->moves = {Move::begin};
        CHECK(send(soon()).error().is(Errc::timeout));
        CHECK(received->text == std::to_string(hedged.first + 1));
        CHECK(hedged.requests() == 1);
    }
    SECTION("that ends too early, if the second one does") {
        hedged.plan->moves = {Move::hold, Move::begin};
        CHECK(send(soon()).error().is(Errc::timeout));
        CHECK(received->text == std::to_string(hedged.first + 2));
        CHECK(hedged.requests() == 2);
    }
    CHECK(received.use_count() == 1);
}

TEST_CASE("streams are not hedged") {
    HedgedPair hedged;
    hedged.plan->moves = {Move::hold};
    http::StreamTimeouts timeouts = patient_timeouts();
    timeouts.deadline = soon();
    const auto stream = start_stream(hedged.pair.context, *hedged.pair.client,
                                     keep_in(std::make_shared<Received>()), timeouts);
    CHECK(finish_call(hedged.pair.context, stream).error().is(Errc::timeout));
    CHECK(hedged.requests() == 1);
    CHECK(hedged.hedges() == 0);
}
