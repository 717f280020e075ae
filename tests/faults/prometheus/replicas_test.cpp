// SPDX-License-Identifier: Apache-2.0
#include "faults/prometheus/replicas_fixture.hpp"

#include "support/protections.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test_support;
using namespace wva_metrics::test_support::prometheus_client;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using prometheus::ClientConfig;
using resilience::ProtectionEvent;

namespace {

/// Pauses that a test can wait for.
ClientConfig with_short_pauses() {
    ClientConfig config;
    config.http.protection.breaker.first_pause = 20ms;
    config.http.protection.breaker.max_pause = 20ms;
    return config;
}

/// Of one attempt, so that a test can wait for it.
ClientConfig with_short_attempts() {
    ClientConfig config;
    config.http.timeouts.attempt = 50ms;
    return config;
}

} // namespace

TEST_CASE("while the first replica answers, no other is asked") {
    ReplicaPeers peers({Manner::works, Manner::works});
    for (int i = 0; i < 20; ++i) {
        const QueryPtr query = peers.run();
        REQUIRE(query->result->has_value());
        CHECK((*query->result)->endpoint == peers.servers[0]->url());
    }
    CHECK(peers.requests(0) == 20);
    CHECK(peers.servers[1]->connections() == 0);
}

TEST_CASE("a replica in trouble costs one request, and each query is answered by the next one") {
    const Manner manner = GENERATE(Manner::unavailable, Manner::unauthorized, Manner::not_found,
                                   Manner::hangs, Manner::resets, Manner::web_page);
    CAPTURE(static_cast<int>(manner));
    ReplicaPeers peers({manner, Manner::works, Manner::works}, with_short_attempts());
    for (int i = 0; i < 20; ++i) {
        const QueryPtr query = peers.run();
        REQUIRE(query->result->has_value());
        CHECK(query->series == 1);
        CHECK((*query->result)->endpoint == peers.servers[1]->url());
    }
    CHECK(peers.requests(0) <= 2); // A reset connection may have been an old one.
    CHECK(peers.requests(1) == 20);
    CHECK(peers.requests(2) == 0);
    CHECK(peers.client->current_replica() == 1);
}

TEST_CASE("a replica that refuses connections is left, and asked again when it is back") {
    asio::io_context context;
    auto down = std::make_unique<ScriptedServer>(context, std::vector{never_answer()});
    const asio::ip::tcp::endpoint address(asio::ip::address_v4::loopback(), down->port());
    ScriptedServer second(context, {answer_each_with(good)});
    ClientConfig config = with_short_pauses();
    // Nobody listens on a port of 127.0.0.2, until the test does.
    config.http.url = "http://127.0.0.2:" + std::to_string(address.port());
    config.replicas = {second.url()};
    prometheus::Client client(context.get_executor(), config);
    const auto run = [&] {
        const QueryPtr query = start_query(context, client, "up", far_deadline(), {});
        run_until(context, [&] { return query->is_over(); });
        REQUIRE(query->result->has_value());
        return (*query->result)->endpoint;
    };
    for (int i = 0; i < 5; ++i)
        CHECK(run() == second.url());
    ScriptedServer first(context, {answer_each_with(good)},
                         {asio::ip::make_address("127.0.0.2"), address.port()});
    while (run() != config.http.url)
        continue;
    CHECK(client.current_replica() == 0);
    CHECK(run() == config.http.url);
}

TEST_CASE("a replica that works again is tried once by a query for nothing, and then used") {
    ReplicaPeers peers({Manner::unavailable, Manner::works}, with_short_pauses());
    peers.run();
    REQUIRE(peers.client->current_replica() == 1);
    *peers.manner_of[0] = Manner::works;
    while (peers.client->current_replica() == 1)
        REQUIRE(peers.run()->result->has_value());
    // The failure, the trial, and the query after it.
    CHECK(peers.requests(0) == 3);
    CHECK_THAT(peers.servers[0]->requests()[1], ContainsSubstring("query=vector%281%29"));
}

TEST_CASE("queries that belong together stay with one replica") {
    ReplicaPeers peers({Manner::unavailable, Manner::works}, with_short_pauses());
    peers.run();
    *peers.manner_of[0] = Manner::works;
    const TimePoint end = std::chrono::steady_clock::now() + 60ms; // Longer than the pause.
    prometheus::QueryOptions together;
    together.keep_replica = true;
    while (std::chrono::steady_clock::now() < end)
        CHECK((*peers.run(far_deadline(), together)->result)->endpoint == peers.servers[1]->url());
    CHECK(peers.requests(0) == 1);
    CHECK((*peers.run()->result)->endpoint == peers.servers[0]->url());
}

TEST_CASE("what is wrong with the query is not asked elsewhere") {
    const Manner manner = GENERATE(Manner::bad_query, Manner::too_many, Manner::query_timed_out);
    CAPTURE(static_cast<int>(manner));
    ReplicaPeers peers({manner, Manner::works});
    for (int i = 0; i < 20; ++i) {
        const QueryPtr query = peers.run();
        REQUIRE(query->result->has_error());
        CHECK(query->error().endpoint == peers.servers[0]->url());
        CHECK_THAT(query->error().message, !ContainsSubstring("replicas"));
    }
    CHECK(peers.requests(1) == 0);
    CHECK(peers.client->current_replica() == 0);
    CHECK(peers.client->replica_stats()[0].failed == 0);
}

TEST_CASE(
    "after the sink has received a series, the query is not sent again but the replica left") {
    ReplicaPeers peers({Manner::cut, Manner::works});
    const QueryPtr cut = peers.run();
    CHECK(cut->result->has_error());
    CHECK(cut->series == 1);
    CHECK(peers.requests(1) == 0);
    const QueryPtr next = peers.run();
    REQUIRE(next->result->has_value());
    CHECK(next->series == 1);
    CHECK(peers.requests(0) == 1);
}

TEST_CASE("a replica that hangs leaves time for the next one before the deadline") {
    ClientConfig config;
    config.http.protection.slow_after = 10ms;
    ReplicaPeers peers({Manner::hangs, Manner::hangs, Manner::works}, config);
    // The first has half of it, the second a quarter; an attempt alone could take 5 s.
    const QueryPtr query = peers.run(std::chrono::steady_clock::now() + 1200ms);
    REQUIRE(query->result->has_value());
    CHECK((*query->result)->endpoint == peers.servers[2]->url());
    CHECK(peers.client->current_replica() == 2);
}

TEST_CASE("a deadline that is soon over is not held against a replica") {
    ReplicaPeers peers({Manner::hangs, Manner::works});
    const QueryPtr query = peers.run(std::chrono::steady_clock::now() + 600ms);
    CHECK(query->result->has_value());
    CHECK(peers.client->current_replica() == 0);
}

TEST_CASE("an outage of all replicas costs each no more than one server alone") {
    const std::size_t count = GENERATE(1U, 2U, 3U, 8U);
    const bool at_once = GENERATE(true, false);
    CAPTURE(count, at_once);
    ReplicaPeers peers(std::vector(count, Manner::unavailable));
    std::vector<QueryPtr> queries;
    for (int i = 0; i < 200; ++i) {
        queries.push_back(peers.start());
        if (!at_once)
            run_until(peers.context, [&] { return queries.back()->is_over(); });
    }
    for (const QueryPtr& query : queries) {
        run_until(peers.context, [&] { return query->is_over(); });
        CHECK(query->error().is(Errc::unavailable));
    }
    // One after the other: the breaker of the one that is asked opens after 5 failures, each of the
    // others is asked once, and there are at most 5 retries. At once: 10 are in flight at each.
    CHECK(peers.requests() <= (at_once ? 10 * count : 5 + (count - 1)) + 5);
    for (std::size_t i = 0; i < count; ++i)
        CHECK(peers.requests(i) <= 15);
}

TEST_CASE("without breakers, retries at all replicas come out of one budget") {
    ClientConfig config;
    config.http.protection.breaker.enabled = false;
    config.http.protection.retry.max_backoff = config.http.protection.retry.first_backoff = 1ms;
    const std::size_t count = GENERATE(1U, 2U, 3U);
    CAPTURE(count);
    ReplicaPeers peers(std::vector(count, Manner::unavailable), config);
    for (int i = 0; i < 50; ++i)
        CHECK(peers.run()->result->has_error());
    CHECK(peers.requests() >= 50 + 5);
    CHECK(peers.requests() <= 50 + 5 + (count - 1));
}

TEST_CASE("a failure of the only healthy replica is retried there, as with one server") {
    ReplicaPeers peers({Manner::unavailable, Manner::works});
    REQUIRE(peers.run()->result->has_value());
    const auto fail_once = [&] { *peers.manner_of[1] = Manner::unavailable; };
    fail_once();
    const QueryPtr query = peers.start();
    run_until(peers.context, [&] { return peers.requests(1) == 2; });
    *peers.manner_of[1] = Manner::works;
    run_until(peers.context, [&] { return query->is_over(); });
    CHECK(query->result->has_value());
    CHECK(peers.requests(0) == 1);
}

TEST_CASE("the error of a query that no replica answered names each, and is bounded") {
    ClientConfig config;
    config.http.protection = single_attempt;
    ReplicaPeers peers({Manner::unavailable, Manner::web_page, Manner::resets}, config);
    const Error all = peers.run()->error();
    CHECK(all.is(Errc::unavailable));
    CHECK(all.http_status == 503);
    CHECK(all.endpoint == peers.servers[0]->url());
    CHECK_THAT(all.message, ContainsSubstring("none of the 3 replicas answered: " +
                                              peers.servers[0]->url() + ": unavailable: ") &&
                                ContainsSubstring(peers.servers[1]->url() + ": bad_response: ") &&
                                ContainsSubstring(peers.servers[2]->url() + ": unreachable: "));
    // The next query is sent to one of them, and says what is known of the others.
    const Error next = peers.run()->error();
    CHECK_THAT(next.message, ContainsSubstring(peers.servers[0]->url() +
                                               " was not asked, because it failed before: unava"));
    CHECK(next.message.size() < 3 * 400);
}

TEST_CASE(
    "the protection and the last failure of each replica can be seen, and its changes heard") {
    ClientConfig config = with_short_pauses();
    const auto events = std::make_shared<std::vector<ProtectionEvent>>();
    config.http.protection.on_event = [events](const ProtectionEvent& event) {
        if (event.kind == ProtectionEvent::Kind::replica_chosen)
            events->push_back(event);
    };
    ReplicaPeers peers({Manner::unavailable, Manner::works}, config);
    peers.run();
    const std::vector<prometheus::ReplicaStats> stats = peers.client->replica_stats();
    REQUIRE(stats.size() == 2);
    CHECK(stats[0].endpoint == peers.servers[0]->url());
    CHECK_FALSE(stats[0].is_current);
    CHECK_FALSE(stats[0].is_healthy);
    CHECK(stats[0].failed == 1);
    CHECK_THAT(stats[0].last_failure, ContainsSubstring("503"));
    CHECK(stats[0].protection.failures == 1);
    CHECK(stats[1].is_current);
    CHECK(stats[1].is_healthy);
    CHECK(stats[1].answered == 1);
    CHECK(stats[1].protection.successes == 1);
    *peers.manner_of[0] = Manner::works;
    while (peers.client->current_replica() == 1)
        peers.run();
    REQUIRE(events->size() == 2);
    CHECK((*events)[0].endpoint == peers.servers[1]->url());
    CHECK_THAT((*events)[0].reason, ContainsSubstring(peers.servers[0]->url() + " failed: "));
    CHECK((*events)[1].endpoint == peers.servers[0]->url());
    CHECK(to_string((*events)[1].kind) == "replica_chosen");
}

TEST_CASE("a query that is cancelled, or whose client is destroyed, asks no other replica") {
    ReplicaPeers peers({Manner::hangs, Manner::works});
    const QueryPtr query = peers.start();
    run_until(peers.context, [&] { return peers.requests(0) == 1; });
    SECTION("cancelled") {
        query->cancel.emit(boost::asio::cancellation_type::terminal);
    }
    SECTION("destroyed") {
        peers.client.reset();
    }
    run_until(peers.context, [&] { return query->is_over(); });
    CHECK((query->threw || query->error().is(Errc::aborted)));
    CHECK(peers.requests(1) == 0);
}

TEST_CASE("a query that waits before a retry can be cancelled, and its client destroyed") {
    ClientConfig config;
    config.http.protection.retry.first_backoff = 1min;
    config.http.protection.retry.max_backoff = 1min;
    ReplicaPeers peers({Manner::unavailable, Manner::unavailable}, config);
    const QueryPtr query = peers.start(TimePoint::max());
    run_until(peers.context, [&] { return peers.client->replica_stats()[1].failed == 1; });
    SECTION("cancelled") {
        query->cancel.emit(boost::asio::cancellation_type::terminal);
        run_until(peers.context, [&] { return query->is_over(); });
        CHECK((query->threw || query->error().is(Errc::aborted)));
    }
    SECTION("the context is destroyed") {
        CHECK_FALSE(query->is_over());
    }
}
