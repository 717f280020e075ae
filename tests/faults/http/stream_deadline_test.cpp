// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/http/client.hpp"

#include "support/http_calls.hpp"
#include "support/http_pair.hpp"
#include "support/http_streams.hpp"
#include "support/scripted_server.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

using namespace wva_metrics;
using namespace wva_metrics::test_support;
using namespace std::chrono_literals;
using http::ClientConfig;
using http::Response;
using http::StreamTimeouts;

TEST_CASE("silence ends a stream, before and after its header, and only the body ends a silence") {
    const auto [start, repeated, what] = GENERATE(table<std::string, std::string, std::string>({
        {"", "", "no answer arrived"},
        {"", "HTTP/1.1 103 Early Hints\r\n\r\n", "the answer did not arrive completely"},
        {"HTTP/1.1 200 OK\r\n", "", "the answer did not arrive completely"},
        {chunked_head(), "", "nothing more of the streamed answer arrived"},
        {chunked_head() + chunk("piece"), "", "nothing more of the streamed answer arrived"},
        {chunked_head() + chunk("piece") + "1;", "x",
         "nothing more of the streamed answer arrived"},
    }));
    CAPTURE(start, repeated);
    ClientConfig config = tight_config();
    config.limits.max_informational = 1000;
    HttpPair pair({[start = start,
                    repeated = repeated](ScriptedServer::PeerPtr peer) -> asio::awaitable<void> {
                      co_await peer->read_request();
                      co_await peer->send(start);
                      for (int i = 0; i < 1000; ++i) {
                          co_await peer->send(repeated);
                          co_await peer->wait(20ms);
                      }
                  }},
                  config);
    StreamTimeouts timeouts = patient_timeouts();
    timeouts.idle = 150ms;
    const auto received = std::make_shared<Received>();
    const Result<Response> response = finish_call(
        pair.context, start_stream(pair.context, *pair.client, keep_in(received), timeouts));
    REQUIRE_FALSE(response.has_value());
    CHECK(response.error().is(Errc::timeout));
    CHECK(response.error().message == what + " within 150 ms (StreamTimeouts::idle)");
    CHECK(response.error().http_status == (start.starts_with(chunked_head()) ? 200 : 0));
    CHECK(pair.client->idle_connections() == 0);
}

TEST_CASE("a busy stream may last longer than the idle time and an attempt") {
    HttpPair pair({[](ScriptedServer::PeerPtr peer) -> asio::awaitable<void> {
                      co_await peer->read_request();
                      co_await peer->send(chunked_head());
                      for (int i = 0; i < 10; ++i) {
                          co_await peer->wait(100ms);
                          co_await peer->send(chunk("x"));
                      }
                      co_await peer->send(last_chunk);
                  }},
                  {.timeouts = {.attempt = 500ms}});
    StreamTimeouts timeouts = patient_timeouts();
    timeouts.idle = 500ms;
    const auto received = std::make_shared<Received>();
    REQUIRE(finish_call(pair.context,
                        start_stream(pair.context, *pair.client, keep_in(received), timeouts))
                .has_value());
    CHECK(received->text == std::string(10, 'x'));
}

TEST_CASE("the deadline ends a stream, however busy it is") {
    HttpPair pair({[](ScriptedServer::PeerPtr peer) -> asio::awaitable<void> {
        co_await peer->read_request();
        co_await peer->send(chunked_head());
        co_await peer->send_without_end(chunk(std::string(100, 'x')));
    }});
    StreamTimeouts timeouts = patient_timeouts();
    timeouts.deadline = std::chrono::steady_clock::now() + 200ms;
    std::size_t bytes = 0;
    const Result<Response> response =
        finish_call(pair.context, start_stream(
                                      pair.context, *pair.client,
                                      [&bytes](std::string_view piece) {
                                          bytes += piece.size();
                                          return true;
                                      },
                                      timeouts));
    REQUIRE_FALSE(response.has_value());
    CHECK(response.error().is(Errc::timeout));
    CHECK(response.error().message ==
          "the answer did not arrive completely before the caller's deadline");
    CHECK(bytes > 0);
}

TEST_CASE("the header of a stream must arrive within the time of an attempt") {
    HttpPair pair({never_answer()}, {.timeouts = {.attempt = 100ms}});
    const Result<Response> response =
        finish_call(pair.context, start_stream(pair.context, *pair.client,
                                               keep_in(std::make_shared<Received>())));
    REQUIRE_FALSE(response.has_value());
    CHECK(response.error().is(Errc::timeout));
    CHECK(response.error().message == "no answer arrived within 100 ms (timeouts.attempt)");
}

TEST_CASE("a stream may have no deadline") {
    HttpPair pair({answer_each_with(ok_answer)});
    const auto received = std::make_shared<Received>();
    REQUIRE(finish_call(pair.context, start_stream(pair.context, *pair.client, keep_in(received),
                                                   StreamTimeouts()))
                .has_value());
    CHECK(received->text == "{}");
}
