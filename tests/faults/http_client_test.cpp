// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/http/client.hpp"

#include "support/http_calls.hpp"
#include "support/http_pair.hpp"
#include "support/scripted_server.hpp"
#include "support/temporary_directory.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test_support;
using namespace std::chrono_literals;
using http::Client;
using http::ClientConfig;
using http::Request;
using http::Response;

TEST_CASE("a request reaches the server as it was meant") {
    HttpPair pair({answer_each_with(ok_answer)}, {.url = "/base",
                                                  .credentials = http::Credentials::bearer("token"),
                                                  .headers = {{"X-Scope-OrgID", "tenant"}}});
    const Result<Response> response =
        pair.ask(Request::post("/api/v1/query", "query=up", "application/x-www-form-urlencoded"));
    REQUIRE(response.has_value());
    CHECK(response->status == 200);
    CHECK(response->body == "{}");
    CHECK(response->content_type == "application/json");
    CHECK_FALSE(response->ended_by_close);
    REQUIRE(pair.server.requests().size() == 1);
    CHECK(pair.server.requests().front() ==
          "POST /base/api/v1/query HTTP/1.1\r\n"
          "Host: 127.0.0.1:" +
              std::to_string(pair.server.port()) +
              "\r\n"
              "User-Agent: wva_metrics/0.2.0\r\n"
              "Accept: */*\r\n"
              "X-Scope-OrgID: tenant\r\n"
              "Accept-Encoding: identity\r\n"
              "Authorization: Bearer token\r\n"
              "Content-Type: application/x-www-form-urlencoded\r\n"
              "Content-Length: 8\r\n"
              "\r\n"
              "query=up");
    CHECK(pair.client->endpoint() == pair.server.url());
}

TEST_CASE("a request that does not fit into the socket's buffers arrives whole") {
    std::string body(std::size_t{16} << 20, 'x');
    for (std::size_t i = 0; i < body.size(); i += 1000)
        body[i] = static_cast<char>('a' + i / 1000 % 26);
    HttpPair pair({answer_each_with(ok_answer)});
    for (int i = 0; i < 2; ++i)
        REQUIRE(pair.ask(Request::post("/", body, "")).has_value());
    for (const std::string& request : pair.server.requests())
        CHECK(request.ends_with("\r\n\r\n" + body));
    CHECK(pair.server.connections() == 1);
}

TEST_CASE("a connection is kept and used again") {
    HttpPair pair({answer_each_with(ok_answer)});
    for (int i = 0; i < 5; ++i)
        CHECK(pair.ask().has_value());
    CHECK(pair.server.connections() == 1);
    CHECK(pair.server.requests().size() == 5);
    CHECK(pair.client->idle_connections() == 1);
}

TEST_CASE("any status is an answer, and a redirect is not followed") {
    const std::string status =
        GENERATE(as<std::string>{}, "302 Found", "404 Not Found", "429 Slow", "500 Oops");
    HttpPair pair({answer_each_with(
        http_answer("body", "Location: http://127.0.0.1:1/\r\nRetry-After: 7\r\n", status))});
    const Result<Response> response = pair.ask();
    REQUIRE(response.has_value());
    CHECK(std::to_string(response->status) == status.substr(0, 3));
    CHECK(response->body == "body");
    CHECK(response->location == "http://127.0.0.1:1/");
    CHECK(response->retry_after == "7");
    CHECK(pair.server.connections() == 1);
}

TEST_CASE("well-formed answers of every kind are read") {
    const auto [bytes, body, is_kept] = GENERATE(table<std::string, std::string, bool>({
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nab\r\n1\r\nc\r\n0\r\nT: "
         "x\r\n\r\n",
         "abc", true},
        {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "", true},
        {"HTTP/1.1 204 No Content\r\n\r\n", "", true},
        {"HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\n\r\n", "", true},
        {"HTTP/1.1 200 OK\r\nContent-Encoding: identity\r\nContent-Length: 1\r\n\r\nx", "x", true},
        {"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx", "x", false},
        {"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", "x", false},
        {"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx",
         "x", true},
        {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 "
         "OK\r\nContent-Length: 1\r\n\r\nx",
         "x", true},
        {"HTTP/1.1 204 No Content\r\n\r\nleft over", "", false},
    }));
    CAPTURE(bytes);
    HttpPair pair({answer_each_with(bytes)});
    const Result<Response> response = pair.ask();
    REQUIRE(response.has_value());
    CHECK(response->body == body);
    CHECK_FALSE(response->ended_by_close);
    CHECK(pair.client->idle_connections() == (is_kept ? 1 : 0));
}

TEST_CASE("a body that ends with the connection is marked, since nobody can tell whether it is "
          "complete") {
    const std::string head = GENERATE(as<std::string>{}, "HTTP/1.0 200 OK\r\n\r\n",
                                      "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
    HttpPair pair({answer_and_close(head + "{\"half")});
    const Result<Response> response = pair.ask();
    REQUIRE(response.has_value());
    CHECK(response->body == "{\"half");
    CHECK(response->ended_by_close);
    CHECK(pair.client->idle_connections() == 0);
}

TEST_CASE("an answer that is not what HTTP promises is refused and its connection closed") {
    const std::string head = "HTTP/1.1 200 OK\r\n";
    const std::string bytes =
        GENERATE_COPY(as<std::string>{}, "garbage\r\n\r\n", "HTTP/2 200\r\n\r\n",
                      "HTTP/1.1 20x OK\r\n\r\n", "HTTP/1.1 099 Odd\r\nContent-Length: 0\r\n\r\n",
                      head + "no colon\r\n\r\n", head + "Content-Length: x\r\n\r\n",
                      head + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
                      head + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                      head + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
                      head + "Transfer-Encoding: gzip\r\n\r\nx",
                      head + "Transfer-Encoding: chunked\r\n\r\nzz\r\n", head + "\r\nno framing",
                      head + "Content-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx",
                      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n");
    CAPTURE(bytes);
    HttpPair pair({answer_and_close(bytes)});
    const Result<Response> response = pair.ask();
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
    }});
    const Result<Response> response = pair.ask();
    REQUIRE_FALSE(response.has_value());
    CHECK(response.error().is(Errc::unreachable));
    // A fresh connection that ends is no stale one: nothing is sent a second time.
    CHECK(pair.server.connections() == 1);
}

TEST_CASE("a Content-Length above the bound is refused before the body is read") {
    HttpPair pair({[](ScriptedServer::PeerPtr peer) -> asio::awaitable<void> {
                      co_await peer->read_request();
                      co_await peer->send("HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n");
                      co_await peer->wait_for_close();
                  }},
                  tight_config());
    const Result<Response> response = pair.ask();
    REQUIRE_FALSE(response.has_value());
    CHECK(response.error().is(Errc::too_large));
    CHECK(response.error().message.find("10000 (limits.max_body_bytes)") != std::string::npos);
}

TEST_CASE("a body of exactly the bound is read") {
    HttpPair pair({answer_each_with(http_answer(std::string(10'000, 'x')))}, tight_config());
    CHECK(pair.ask()->body.size() == 10'000);
}

TEST_CASE("an endless answer ends at a bound that the error names") {
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
    const Result<Response> response = pair.ask();
    REQUIRE_FALSE(response.has_value());
    CHECK(response.error().is(Errc::too_large));
    CHECK(response.error().message.find(bound) != std::string::npos);
    // What the server got rid of is in the kernel's buffers, not in ours.
    run_until(pair.context, [&] { return taken > 0; });
    CHECK(taken < (std::size_t{64} << 20));
}

TEST_CASE("the attempt's time is absolute, however busy the server seems") {
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
    const Result<Response> response = pair.ask();
    REQUIRE_FALSE(response.has_value());
    CHECK(response.error().is(Errc::timeout));
    CHECK(response.error().message.find("within 200 ms (timeouts.attempt)") != std::string::npos);
    CHECK(pair.client->idle_connections() == 0);
}

TEST_CASE("the caller's deadline ends a call that the configuration would let live") {
    HttpPair pair({never_answer()});
    const Result<Response> response =
        ask(pair.context, *pair.client, root_request, std::chrono::steady_clock::now() + 50ms);
    REQUIRE_FALSE(response.has_value());
    CHECK(response.error().is(Errc::timeout));
    CHECK(response.error().message.find("the caller's deadline") != std::string::npos);
}

TEST_CASE("a deadline in the past sends nothing") {
    HttpPair pair({answer_each_with(ok_answer)});
    const Result<Response> response =
        ask(pair.context, *pair.client, root_request, std::chrono::steady_clock::now() - 1s);
    REQUIRE_FALSE(response.has_value());
    CHECK(response.error().is(Errc::timeout));
    CHECK(pair.server.connections() == 0);
}

TEST_CASE("a call that times out harms no other") {
    HttpPair pair({never_answer(), answer_each_with(ok_answer)});
    const auto slow = start_call(pair.context, *pair.client, root_request,
                                 std::chrono::steady_clock::now() + 500ms);
    run_until(pair.context, [&] { return pair.server.requests().size() == 1; });
    CHECK(pair.ask().has_value());
    CHECK(finish_call(pair.context, slow).error().is(Errc::timeout));
    CHECK(pair.ask().has_value());
    CHECK(pair.server.connections() == 2);
}

TEST_CASE("two answers to one request: the second is never taken for the next request's answer") {
    SECTION("both at once") {
        HttpPair pair(
            {answer_each_with(ok_answer + http_answer("STALE")), answer_each_with(ok_answer)});
        CHECK(pair.ask()->body == "{}");
        CHECK(pair.client->idle_connections() == 0);
        CHECK(pair.ask()->body == "{}");
    }
    SECTION("the second one while the connection is idle") {
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
        CHECK(pair.ask()->body == "{}");
        run_until(pair.context, [&] { return sent; });
        CHECK(pair.ask()->body == "{}");
        CHECK(pair.server.connections() == 2);
    }
}

TEST_CASE("a kept connection that the server has closed is replaced without the caller noticing") {
    HttpPair pair({answer_and_close(ok_answer)});
    for (int i = 0; i < 3; ++i)
        CHECK(pair.ask().has_value());
    CHECK(pair.server.connections() == 3);
}

TEST_CASE("a request that meets a dying kept connection is sent once more, on a new one") {
    const bool reset = GENERATE(false, true);
    HttpPair pair({[reset](ScriptedServer::PeerPtr peer) -> asio::awaitable<void> {
                       co_await peer->read_request();
                       co_await peer->send(ok_answer);
                       co_await peer->read_request();
                       if (reset)
                           peer->reset();
                   },
                   answer_and_close("HTTP/1.1 200 O"), answer_each_with(ok_answer)});
    CHECK(pair.ask().has_value());
    // The second connection dies as well, and there is no third try.
    CHECK(pair.ask().error().is(Errc::unreachable));
    CHECK(pair.server.connections() == 2);
    CHECK(pair.ask().has_value());
}

TEST_CASE("a kept connection that dies in the middle of an answer is not asked again") {
    HttpPair pair({[](ScriptedServer::PeerPtr peer) -> asio::awaitable<void> {
        co_await peer->read_request();
        co_await peer->send(ok_answer);
        co_await peer->read_request();
        co_await peer->send("HTTP/1.1 200 OK\r\n");
    }});
    CHECK(pair.ask().has_value());
    CHECK(pair.ask().error().is(Errc::unreachable));
    CHECK(pair.server.connections() == 1);
}

TEST_CASE("an early refusal is read although the request could not be sent whole") {
    HttpPair pair({[](ScriptedServer::PeerPtr peer) -> asio::awaitable<void> {
        co_await peer->send(
            http_answer("too large", "Connection: close\r\n", "413 Payload Too Large"));
        co_await peer->wait(20ms);
        peer->reset();
    }});
    const Result<Response> response =
        pair.ask(Request::post("/", std::string(std::size_t{32} << 20, 'x'), "text/plain"));
    REQUIRE(response.has_value());
    CHECK(response->status == 413);
    CHECK(pair.client->idle_connections() == 0);
}

TEST_CASE("idle connections are dropped when they are too old or too many") {
    SECTION("too old") {
        HttpPair pair({answer_each_with(ok_answer)}, {.limits = {.idle_timeout = 0s}});
        CHECK(pair.ask().has_value());
        CHECK(pair.ask().has_value());
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
    SECTION("none wanted") {
        HttpPair pair({answer_each_with(ok_answer)}, {.limits = {.max_idle = 0}});
        CHECK(pair.ask().has_value());
        CHECK(pair.client->idle_connections() == 0);
    }
}

TEST_CASE("no more connections are used than allowed, and the rest wait their turn") {
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

TEST_CASE("a full queue refuses at once, and the error names the bounds") {
    HttpPair pair({never_answer()},
                  {.timeouts = {.attempt = 1h}, .limits = {.max_connections = 1, .max_queued = 1}});
    const auto busy = start_call(pair.context, *pair.client);
    const auto queued = start_call(pair.context, *pair.client);
    run_until(pair.context, [&] { return pair.server.requests().size() == 1; });
    const Result<Response> refused = pair.ask();
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().is(Errc::unavailable));
    CHECK(refused.error().message.find("limits.max_connections = 1") != std::string::npos);
    CHECK(refused.error().message.find("limits.max_queued = 1") != std::string::npos);
    CHECK_FALSE(busy->is_over());
    busy->cancel.emit(asio::cancellation_type::terminal);
    run_until(pair.context, [&] { return pair.server.requests().size() == 2; });
    CHECK_FALSE(queued->is_over());
}

TEST_CASE("a call that waits for a connection heeds its deadline") {
    HttpPair pair({never_answer()}, {.limits = {.max_connections = 1}});
    const auto busy = start_call(pair.context, *pair.client);
    run_until(pair.context, [&] { return pair.server.requests().size() == 1; });
    const Result<Response> response =
        ask(pair.context, *pair.client, root_request, std::chrono::steady_clock::now() + 50ms);
    REQUIRE_FALSE(response.has_value());
    CHECK(response.error().is(Errc::timeout));
    CHECK(response.error().message.find("limits.max_connections = 1") != std::string::npos);
}

TEST_CASE("a request that would smuggle something in is refused before any I/O") {
    HttpPair pair({answer_each_with(ok_answer)});
    const Request request = GENERATE(
        Request::get("/\r\nX-Injected: 1"), Request::get("/ HTTP/1.1"), Request::get("no-slash"),
        Request::get("/#f"), Request::get(""), Request::get(std::string("/\0", 2)),
        Request::get("/\xc3\xa9"), Request::post("/", "", "a\r\nX-Injected: 1"));
    const Result<Response> response = pair.ask(request);
    REQUIRE_FALSE(response.has_value());
    CHECK(response.error().is(Errc::invalid_argument));
    CHECK(pair.server.connections() == 0);
}

TEST_CASE("an unsound configuration sends nothing and says everything that is wrong") {
    HttpPair pair({answer_each_with(ok_answer)}, {.limits = {.max_body_bytes = 0},
                                                  .headers = {{"X-Tenant", "a\r\nX-Injected: 1"}}});
    const Result<Response> response = pair.ask();
    REQUIRE_FALSE(response.has_value());
    CHECK(response.error().is(Errc::invalid_config));
    CHECK(response.error().message.find("limits.max_body_bytes") != std::string::npos);
    CHECK(response.error().message.find("X-Tenant") != std::string::npos);
    CHECK(pair.server.connections() == 0);
    CHECK(pair.client->endpoint().empty());
}

TEST_CASE("a token file that was rotated is read again after a 401") {
    const TemporaryDirectory directory;
    const std::string path = (directory.path() / "token").string();
    std::ofstream(path) << "old";
    const std::string refusal = http_answer("", "", "401 Unauthorized");
    HttpPair pair({[=](ScriptedServer::PeerPtr peer) -> asio::awaitable<void> {
                      for (;;) {
                          const std::string request = co_await peer->read_request();
                          const bool known = request.find("Bearer new\r\n") != std::string::npos;
                          co_await peer->send(known ? ok_answer : refusal);
                      }
                  }},
                  {.credentials = http::Credentials::bearer_file(path)});
    CHECK(pair.ask()->status == 401);
    CHECK(pair.server.requests().size() == 1);
    std::ofstream(path) << "new";
    CHECK(pair.ask()->status == 200);
    CHECK(pair.ask()->status == 200);
    CHECK(pair.server.requests().size() == 3);
}

TEST_CASE("a token that was rotated since it was read is tried within the same call") {
    const TemporaryDirectory directory;
    const std::string path = (directory.path() / "token").string();
    std::ofstream(path) << "old";
    HttpPair pair({[=](ScriptedServer::PeerPtr peer) -> asio::awaitable<void> {
                      co_await peer->read_request();
                      co_await peer->send(ok_answer);
                      co_await peer->read_request();
                      co_await peer->send(http_answer("", "", "401 Unauthorized"));
                      co_await peer->read_request();
                      co_await peer->send(ok_answer);
                  }},
                  {.credentials = http::Credentials::bearer_file(path)});
    CHECK(pair.ask()->status == 200);
    std::ofstream(path) << "new";
    CHECK(pair.ask()->status == 200);
    REQUIRE(pair.server.requests().size() == 3);
    CHECK(pair.server.requests()[1].find("Bearer old\r\n") != std::string::npos);
    CHECK(pair.server.requests()[2].find("Bearer new\r\n") != std::string::npos);
}

TEST_CASE("no secret is in an error") {
    HttpPair pair({answer_and_close("garbage\r\n\r\n")},
                  {.credentials = http::Credentials::basic("user", "hunter2")});
    const std::string text = pair.ask().error().describe();
    CHECK(text.find("hunter2") == std::string::npos);
    CHECK(text.find("user") == std::string::npos);
    CHECK(pair.server.requests().front().find("Authorization: Basic dXNlcjpodW50ZXIy\r\n") !=
          std::string::npos);
}

TEST_CASE("a refused connection is an error that names the endpoint") {
    asio::io_context context;
    Client client(context.get_executor(), {.url = "http://127.0.0.1:1"});
    const Result<Response> response = ask(context, client);
    REQUIRE_FALSE(response.has_value());
    CHECK(response.error().is(Errc::unreachable));
    CHECK(response.error().describe().find("http://127.0.0.1:1") != std::string::npos);
}
