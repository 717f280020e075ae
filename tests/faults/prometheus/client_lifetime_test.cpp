// SPDX-License-Identifier: Apache-2.0
#include "faults/prometheus/client_fixture.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <string>

using namespace wva_metrics;
using namespace wva_metrics::test_support;
using namespace wva_metrics::test_support::prometheus_client;
using namespace std::chrono_literals;

TEST_CASE("a query ends at its deadline, which bounds POST and GET together") {
    Peers silent(never_answer());
    const QueryPtr query = silent.run("up", std::chrono::steady_clock::now() + 50ms);
    CHECK(query->error().is(Errc::timeout));

    const auto refuse_then_wait = [](ScriptedServer::PeerPtr peer) -> asio::awaitable<void> {
        co_await peer->read_request();
        const std::string refusal = http_answer("", "", "405 Method Not Allowed");
        co_await peer->send(refusal);
        co_await peer->read_request();
        co_await peer->wait_for_close();
    };
    Peers slow(refuse_then_wait);
    CHECK(slow.run("up", std::chrono::steady_clock::now() + 100ms)->error().is(Errc::timeout));
}

TEST_CASE("a pending query can be cancelled, and its client destroyed") {
    Peers cancelled(never_answer());
    const QueryPtr first = cancelled.start();
    run_until(cancelled.context, [&] { return cancelled.requests().size() == 1; });
    first->cancel.emit(boost::asio::cancellation_type::terminal);
    run_until(cancelled.context, [&] { return first->is_over(); });
    CHECK((first->threw || first->error().is(Errc::aborted)));

    Peers destroyed(never_answer());
    const QueryPtr second = destroyed.start();
    run_until(destroyed.context, [&] { return destroyed.requests().size() == 1; });
    destroyed.client.reset();
    run_until(destroyed.context, [&] { return second->is_over(); });
    CHECK((second->threw || second->error().is(Errc::aborted)));

    Peers unbegun(never_answer());
    const QueryPtr third = unbegun.start();
    unbegun.client.reset();
    run_until(unbegun.context, [&] { return third->is_over(); });
    CHECK(third->error().is(Errc::aborted));
}

TEST_CASE("the io_context may be destroyed while queries are pending") {
    QueryPtr query;
    {
        Peers peers(never_answer());
        query = peers.start();
        run_until(peers.context, [&] { return peers.requests().size() == 1; });
    }
    CHECK_FALSE(query->is_over());
}
