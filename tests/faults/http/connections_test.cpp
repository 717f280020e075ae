// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/http/client.hpp"

#include "support/http_calls.hpp"
#include "support/http_pair.hpp"
#include "support/protections.hpp"
#include "support/scripted_server.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test_support;
using namespace std::chrono_literals;
using http::Request;
using http::Response;

TEST_CASE("a connection is kept and used again") {
    HttpPair pair({answer_each_with(ok_answer)});
    for (int i = 0; i < 5; ++i)
        CHECK(pair.send_request().has_value());
    CHECK(pair.server.connections() == 1);
    CHECK(pair.server.requests().size() == 5);
    CHECK(pair.client->idle_connections() == 1);
}

TEST_CASE("two answers to one request: the second is never taken for the next request's answer") {
    SECTION("both at once") {
        HttpPair pair(
            {answer_each_with(ok_answer + http_answer("STALE")), answer_each_with(ok_answer)});
        CHECK(pair.send_request()->body == "{}");
        CHECK(pair.client->idle_connections() == 0);
        CHECK(pair.send_request()->body == "{}");
    }
    SECTION("the second while the connection is idle") {
        bool sent = false;
        HttpPair pair({[&sent](ScriptedServer::PeerPtr peer) -> asio::awaitable<void> {
                           co_await peer->read_request();
                           co_await peer->send(ok_answer);
                           co_await peer->wait(1ms);
                           co_await peer->send(http_answer("STALE"));
                           sent = true;
                           co_await peer->wait_for_close();
                       },
                       answer_each_with(ok_answer)});
        CHECK(pair.send_request()->body == "{}");
        run_until(pair.context, [&] { return sent; });
        CHECK(pair.send_request()->body == "{}");
        CHECK(pair.server.connections() == 2);
    }
}

TEST_CASE("an idle connection that the server has closed is replaced") {
    HttpPair pair({answer_and_close(ok_answer)});
    for (int i = 0; i < 3; ++i)
        CHECK(pair.send_request().has_value());
    CHECK(pair.server.connections() == 3);
}

TEST_CASE("a request on a dying idle connection is sent once more, on a new one") {
    const bool reset = GENERATE(false, true);
    HttpPair pair({[reset](ScriptedServer::PeerPtr peer) -> asio::awaitable<void> {
                       co_await peer->read_request();
                       co_await peer->send(ok_answer);
                       co_await peer->read_request();
                       if (reset)
                           peer->reset();
                   },
                   answer_and_close("HTTP/1.1 200 O"), answer_each_with(ok_answer)},
                  {.protection = single_attempt});
    CHECK(pair.send_request().has_value());
    // The second connection dies as well, and the attempt does not begin a third time.
    CHECK(pair.send_request().error().is(Errc::unreachable));
    CHECK(pair.server.connections() == 2);
    CHECK(pair.send_request().has_value());
}

TEST_CASE("an attempt does not begin again if its connection dies in the middle of the answer") {
    HttpPair pair({[](ScriptedServer::PeerPtr peer) -> asio::awaitable<void> {
                      co_await peer->read_request();
                      co_await peer->send(ok_answer);
                      co_await peer->read_request();
                      co_await peer->send("HTTP/1.1 200 OK\r\n");
                  }},
                  {.protection = single_attempt});
    CHECK(pair.send_request().has_value());
    CHECK(pair.send_request().error().is(Errc::unreachable));
    CHECK(pair.server.connections() == 1);
}

TEST_CASE("idle connections are closed if they are too old or too many") {
    SECTION("too old") {
        HttpPair pair({answer_each_with(ok_answer)}, {.limits = {.idle_timeout = 0s}});
        CHECK(pair.send_request().has_value());
        CHECK(pair.send_request().has_value());
        CHECK(pair.server.connections() == 2);
    }
    SECTION("too many") {
        HttpPair pair({answer_each_with(ok_answer)}, {.limits = {.max_idle = 2}});
        std::vector<std::shared_ptr<StartedCall>> calls;
        for (int i = 0; i < 5; ++i)
            calls.push_back(start_call(pair.context, *pair.client));
        for (const auto& call : calls)
            CHECK(finish_call(pair.context, call).has_value());
        CHECK(pair.client->idle_connections() == 2);
    }
    SECTION("disabled") {
        HttpPair pair({answer_each_with(ok_answer)}, {.limits = {.max_idle = 0}});
        CHECK(pair.send_request().has_value());
        CHECK(pair.client->idle_connections() == 0);
    }
}

TEST_CASE("connections are not opened again for as many calls at a time as before") {
    HttpPair pair({answer_each_with(ok_answer)});
    for (int round = 0; round < 4; ++round) {
        std::vector<std::shared_ptr<StartedCall>> calls;
        for (int i = 0; i < 10; ++i)
            calls.push_back(start_call(pair.context, *pair.client));
        for (const auto& call : calls)
            CHECK(finish_call(pair.context, call).has_value());
        CHECK(pair.client->idle_connections() == 10);
    }
    CHECK(pair.server.connections() == 10);
}

TEST_CASE("calls above the limit of connections wait in a queue") {
    HttpPair pair({answer_each_with(ok_answer)}, {.limits = {.max_connections = 3}});
    std::vector<std::shared_ptr<StartedCall>> calls;
    for (int i = 0; i < 50; ++i)
        calls.push_back(
            start_call(pair.context, *pair.client, Request::get("/" + std::to_string(i))));
    for (const auto& call : calls)
        CHECK(finish_call(pair.context, call).has_value());
    CHECK(pair.server.connections() == 3);
    CHECK(pair.server.requests().size() == 50);
}

TEST_CASE("a full queue rejects a call at once, and the error names the limits") {
    HttpPair pair({never_answer()},
                  {.timeouts = {.attempt = 1h}, .limits = {.max_connections = 1, .max_queued = 1}});
    const auto busy = start_call(pair.context, *pair.client);
    const auto queued = start_call(pair.context, *pair.client);
    run_until(pair.context, [&] { return pair.server.requests().size() == 1; });
    const Result<Response> rejected = pair.send_request();
    REQUIRE_FALSE(rejected.has_value());
    CHECK(rejected.error().is(Errc::unavailable));
    CHECK(rejected.error().message.find("limits.max_connections = 1") != std::string::npos);
    CHECK(rejected.error().message.find("limits.max_queued = 1") != std::string::npos);
    CHECK_FALSE(busy->is_over());
    busy->cancel.emit(asio::cancellation_type::terminal);
    run_until(pair.context, [&] { return pair.server.requests().size() == 2; });
    CHECK_FALSE(queued->is_over());
}

TEST_CASE("a call that waits for a connection ends at its deadline") {
    HttpPair pair({never_answer()}, {.limits = {.max_connections = 1}});
    const auto busy = start_call(pair.context, *pair.client);
    run_until(pair.context, [&] { return pair.server.requests().size() == 1; });
    const Result<Response> response = send_request(pair.context, *pair.client, root_request,
                                                   std::chrono::steady_clock::now() + 50ms);
    REQUIRE_FALSE(response.has_value());
    CHECK(response.error().is(Errc::timeout));
    CHECK(response.error().message.find("limits.max_connections = 1") != std::string::npos);
}
