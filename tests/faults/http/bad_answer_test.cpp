// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/http/client.hpp"

#include "support/http_calls.hpp"
#include "support/http_pair.hpp"
#include "support/protections.hpp"
#include "support/scripted_server.hpp"

#include <catch2/catch_all.hpp>

#include <cstddef>
#include <string>

using namespace wva_metrics;
using namespace wva_metrics::test_support;
using http::ClientConfig;
using http::Response;

TEST_CASE("an answer that is not valid HTTP is rejected and its connection closed") {
    const std::string head = "HTTP/1.1 200 OK\r\n";
    const std::string bytes =
        GENERATE_COPY(as<std::string>{}, "garbage\r\n\r\n", "HTTP/2 200\r\n\r\n",
                      "HTTP/1.1 20x OK\r\n\r\n", "HTTP/1.1 099 Odd\r\nContent-Length: 0\r\n\r\n",
                      head + "no colon\r\n\r\n", head + "Content-Length: x\r\n\r\n",
                      head + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
                      head + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                      head + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
                      head + "Transfer-Encoding: gzip\r\n\r\nx",
                      head + "Transfer-Encoding: chunked\r\n\r\nzzz\r\n", head + "\r\nno framing",
                      head + "Content-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx",
                      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n");
    CAPTURE(bytes);
    HttpPair pair({answer_and_close(bytes)});
    const Result<Response> response = pair.send_request();
    REQUIRE_FALSE(response.has_value());
    CHECK(response.error().is(Errc::bad_response));
    CHECK(response.error().endpoint == pair.server.url());
    CHECK(pair.client->idle_connections() == 0);
    CHECK(pair.server.connections() == 1);
}

TEST_CASE("an answer cut short by the end of the connection is an error") {
    const std::string bytes =
        GENERATE(as<std::string>{}, "", "HTTP/1.1 2", "HTTP/1.1 200 OK\r\nContent-Le",
                 "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n1234",
                 "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n1234",
                 "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n1234\r\n0\r\n",
                 "HTTP/1.1 100 Continue\r\n\r\n");
    const bool reset = GENERATE(false, true);
    CAPTURE(bytes, reset);
    HttpPair pair({[=](ScriptedServer::PeerPtr peer) -> asio::awaitable<void> {
                      co_await peer->read_request();
                      co_await peer->send(bytes);
                      if (reset)
                          peer->reset();
                  }},
                  {.protection = single_attempt});
    const Result<Response> response = pair.send_request();
    REQUIRE_FALSE(response.has_value());
    CHECK(response.error().is(Errc::unreachable));
    // The connection was new, so the attempt does not begin again on another one.
    CHECK(pair.server.connections() == 1);
}

TEST_CASE("a Content-Length above the limit is rejected before the body is read") {
    HttpPair pair({[](ScriptedServer::PeerPtr peer) -> asio::awaitable<void> {
                      co_await peer->read_request();
                      co_await peer->send("HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n");
                      co_await peer->wait_for_close();
                  }},
                  tight_config());
    const Result<Response> response = pair.send_request();
    REQUIRE_FALSE(response.has_value());
    CHECK(response.error().is(Errc::too_large));
    CHECK(response.error().message.find("10000 (limits.max_body_bytes)") != std::string::npos);
}

TEST_CASE("a body of exactly the limit is read") {
    HttpPair pair({answer_each_with(http_answer(std::string(10'000, 'x')))}, tight_config());
    CHECK(pair.send_request()->body.size() == 10'000);
}

TEST_CASE("an endless answer ends at a limit, and the error names it") {
    const std::string head = "HTTP/1.1 200 OK\r\n";
    const std::string chunked = head + "Transfer-Encoding: chunked\r\n\r\n";
    const auto [start, repeated, bound] =
        GENERATE_COPY(table<std::string, std::string, std::string>({
            {head + "X: ", "x", "limits.max_header_bytes"},
            {head, "X: y\r\n", "limits.max_header_bytes"},
            {"HTTP/1.1 200 ", "x", "limits.max_header_bytes"},
            {chunked + "1;x=", "x", "limits.max_buffer_bytes"},
            {chunked + "0\r\n", "X: y\r\n", "limits.max_buffer_bytes"},
            {chunked + "0\r\nX: ", "y", "limits.max_buffer_bytes"},
            {chunked, "4\r\nabcd\r\n", "limits.max_body_bytes"},
            {chunked + "7fffffffffffffff\r\n", "x", "limits.max_body_bytes"},
            {head + "Connection: close\r\n\r\n", "x", "limits.max_body_bytes"},
            {"", "HTTP/1.1 103 Early Hints\r\n\r\n", "limits.max_informational"},
        }));
    CAPTURE(start, repeated);
    std::string block;
    while (block.size() < 8192)
        block += repeated;
    const ClientConfig config = tight_config();
    std::size_t taken = 0;
    HttpPair pair(
        {[&taken, start = start, block](ScriptedServer::PeerPtr peer) -> asio::awaitable<void> {
            co_await peer->read_request();
            co_await peer->send(start);
            taken = co_await peer->send_without_end(block);
        }},
        config);
    const Result<Response> response = pair.send_request();
    REQUIRE_FALSE(response.has_value());
    CHECK(response.error().is(Errc::too_large));
    CHECK(response.error().message.find(bound) != std::string::npos);
    // The rest of what the server sent is in the kernel's buffers, not in the client's.
    run_until(pair.context, [&] { return taken > 0; });
    CHECK(taken < (std::size_t{64} << 20));
}
