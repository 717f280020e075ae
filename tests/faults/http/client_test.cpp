// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/http/client.hpp"
#include "wva_metrics/version.hpp"

#include "support/http_calls.hpp"
#include "support/http_pair.hpp"
#include "support/scripted_server.hpp"
#include "support/secrets.hpp"
#include "wva_metrics/http/impl/client.hpp" // For another executor.

#include <boost/asio/io_context.hpp>
#include <catch2/catch_all.hpp>

#include <chrono>
#include <cstddef>
#include <string>
#include <type_traits>

using namespace wva_metrics;
using namespace wva_metrics::test_support;
using namespace std::chrono_literals;
using http::Client;
using http::Request;
using http::Response;

TEST_CASE("a request is written as given") {
    HttpPair pair({answer_each_with(ok_answer)}, {.url = "/base",
                                                  .credentials = http::Credentials::bearer("token"),
                                                  .headers = {{"X-Scope-OrgID", "tenant"}}});
    const Result<Response> response = pair.send_request(
        Request::post("/api/v1/query", "query=up", "application/x-www-form-urlencoded"));
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
              "User-Agent: wva_metrics/" WVA_METRICS_VERSION_STRING "\r\n"
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

TEST_CASE("a request that exceeds the socket's buffers arrives completely") {
    std::string body(std::size_t{16} << 20, 'x');
    for (std::size_t i = 0; i < body.size(); i += 1000)
        body[i] = static_cast<char>('a' + i / 1000 % 26);
    HttpPair pair({answer_each_with(ok_answer)});
    for (int i = 0; i < 2; ++i)
        REQUIRE(pair.send_request(Request::post("/", body, "")).has_value());
    for (const std::string& request : pair.server.requests())
        CHECK(request.ends_with("\r\n\r\n" + body));
    CHECK(pair.server.connections() == 1);
}

TEST_CASE("any status is an answer, and redirects are not followed") {
    const std::string status =
        GENERATE(as<std::string>{}, "302 Found", "404 Not Found", "429 Slow", "500 Oops");
    HttpPair pair({answer_each_with(
        http_answer("body", "Location: http://127.0.0.1:1/\r\nRetry-After: 0\r\n", status))});
    const Result<Response> response = pair.send_request();
    REQUIRE(response.has_value());
    CHECK(std::to_string(response->status) == status.substr(0, 3));
    CHECK(response->body == "body");
    CHECK(response->location == "http://127.0.0.1:1/");
    CHECK(response->retry_after == "0");
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
    const Result<Response> response = pair.send_request();
    REQUIRE(response.has_value());
    CHECK(response->body == body);
    CHECK_FALSE(response->ended_by_close);
    CHECK(pair.client->idle_connections() == (is_kept ? 1 : 0));
}

TEST_CASE("a body that ends with the connection is marked, because it may be incomplete") {
    const std::string head = GENERATE(as<std::string>{}, "HTTP/1.0 200 OK\r\n\r\n",
                                      "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
    HttpPair pair({answer_and_close(head + "{\"half")});
    const Result<Response> response = pair.send_request();
    REQUIRE(response.has_value());
    CHECK(response->body == "{\"half");
    CHECK(response->ended_by_close);
    CHECK(pair.client->idle_connections() == 0);
}

TEST_CASE("an early rejection is read although the request could not be sent completely") {
    HttpPair pair({[](ScriptedServer::PeerPtr peer) -> asio::awaitable<void> {
        co_await peer->send(
            http_answer("too large", "Connection: close\r\n", "413 Payload Too Large"));
        co_await peer->wait(20ms);
        peer->reset();
    }});
    const Result<Response> response = pair.send_request(
        Request::post("/", std::string(std::size_t{32} << 20, 'x'), "text/plain"));
    REQUIRE(response.has_value());
    CHECK(response->status == 413);
    CHECK(pair.client->idle_connections() == 0);
}

TEST_CASE("a request that could smuggle in another one is rejected before any I/O") {
    HttpPair pair({answer_each_with(ok_answer)});
    const Request request = GENERATE(
        Request::get("/\r\nX-Injected: 1"), Request::get("/ HTTP/1.1"), Request::get("no-slash"),
        Request::get("/#f"), Request::get(""), Request::get(std::string("/\0", 2)),
        Request::get("/\xc3\xa9"), Request::post("/", "", "a\r\nX-Injected: 1"));
    const Result<Response> response = pair.send_request(request);
    REQUIRE_FALSE(response.has_value());
    CHECK(response.error().is(Errc::invalid_argument));
    CHECK(pair.server.connections() == 0);
}

TEST_CASE("errors contain no secrets") {
    HttpPair pair({answer_and_close("garbage\r\n\r\n")},
                  {.credentials = http::Credentials::basic("user", secret_password)});
    const Error error = pair.send_request().error();
    const std::string text = error.describe();
    CAPTURE(text);
    CHECK(find_secret(text).empty());
    CHECK(text.find("user") == std::string::npos);
    const std::string sent = http::detail::encode_base64("user:" + secret_password);
    CHECK(pair.server.requests().front().find("Authorization: Basic " + sent + "\r\n") !=
          std::string::npos);
}

TEST_CASE("a refused connection is an error that names the endpoint") {
    asio::io_context context;
    Client client(context.get_executor(), {.url = "http://127.0.0.1:1"});
    const Result<Response> response = send_request(context, client);
    REQUIRE_FALSE(response.has_value());
    CHECK(response.error().is(Errc::unreachable));
    CHECK(response.error().describe().find("http://127.0.0.1:1") != std::string::npos);
}

TEST_CASE("a client can be bound to a concrete executor type") {
    using IoExecutor = asio::io_context::executor_type;
    using IoClient = Client::rebind_executor<IoExecutor>::other;
    static_assert(std::is_same_v<IoClient, http::BasicClient<IoExecutor>>);
    static_assert(std::is_same_v<IoClient::executor_type, IoExecutor>);
    asio::io_context context;
    const ScriptedServer server(context, {answer_each_with(ok_answer)});
    IoClient client(context.get_executor(), {.url = server.url()});
    CHECK(client.get_executor() == context.get_executor());
    const auto call = start_call(context, client.send(root_request, far_deadline()));
    CHECK(finish_call(context, call)->body == "{}");
}
