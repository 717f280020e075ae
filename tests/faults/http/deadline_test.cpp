// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/http/client.hpp"

#include "support/http_calls.hpp"
#include "support/http_pair.hpp"
#include "support/scripted_server.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <string>

using namespace wva_metrics;
using namespace wva_metrics::test_support;
using namespace std::chrono_literals;
using http::Client;
using http::ClientConfig;
using http::Response;

TEST_CASE("the time of an attempt is absolute, even if the server keeps sending") {
    const std::string block =
        GENERATE(as<std::string>{}, "", "x", "HTTP/1.1 103 Early Hints\r\n\r\n");
    ClientConfig config = tight_config();
    config.timeouts.attempt = 200ms;
    config.limits.max_informational = 1000;
    HttpPair pair({[block](ScriptedServer::PeerPtr peer) -> asio::awaitable<void> {
                      co_await peer->read_request();
                      if (block == "x")
                          co_await peer->send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
                      for (int i = 0; i < 100; ++i) {
                          co_await peer->send(block);
                          co_await peer->wait(50ms);
                      }
                  }},
                  config);
    const Result<Response> response = pair.send_request();
    REQUIRE_FALSE(response.has_value());
    CHECK(response.error().is(Errc::timeout));
    CHECK(response.error().message.find("within 200 ms (timeouts.attempt)") != std::string::npos);
    CHECK(pair.client->idle_connections() == 0);
}

TEST_CASE("the caller's deadline may be earlier than the configured timeouts") {
    HttpPair pair({never_answer()});
    const Result<Response> response = send_request(pair.context, *pair.client, root_request,
                                                   std::chrono::steady_clock::now() + 50ms);
    REQUIRE_FALSE(response.has_value());
    CHECK(response.error().is(Errc::timeout));
    CHECK(response.error().message.find("the caller's deadline") != std::string::npos);
}

TEST_CASE("a deadline in the past sends nothing") {
    HttpPair pair({answer_each_with(ok_answer)});
    const Result<Response> response = send_request(pair.context, *pair.client, root_request,
                                                   std::chrono::steady_clock::now() - 1s);
    REQUIRE_FALSE(response.has_value());
    CHECK(response.error().is(Errc::timeout));
    CHECK(pair.server.connections() == 0);
}

TEST_CASE("a call that times out does not affect other calls") {
    HttpPair pair({never_answer(), answer_each_with(ok_answer)});
    const auto slow = start_call(pair.context, *pair.client, root_request,
                                 std::chrono::steady_clock::now() + 500ms);
    run_until(pair.context, [&] { return pair.server.requests().size() == 1; });
    CHECK(pair.send_request().has_value());
    CHECK(finish_call(pair.context, slow).error().is(Errc::timeout));
    CHECK(pair.send_request().has_value());
    CHECK(pair.server.connections() == 2);
}

TEST_CASE("the timeout of one step does not apply to the next one") {
    asio::io_context context;
    const ScriptedServer server(context,
                                {[](ScriptedServer::PeerPtr peer) -> asio::awaitable<void> {
                                    co_await peer->read_request();
                                    co_await peer->wait(150ms);
                                    co_await peer->send(ok_answer);
                                }});
    Client client(context.get_executor(),
                  {.url = server.url(), .timeouts = {.tls_handshake = 50ms}});
    CHECK(send_request(context, client).has_value());
}
