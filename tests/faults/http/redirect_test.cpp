// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/http/client.hpp"

#include "support/http_calls.hpp"
#include "support/http_pair.hpp"
#include "support/http_streams.hpp"
#include "support/scripted_server.hpp"
#include "support/secrets.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <utility>

using namespace wva_metrics;
using namespace wva_metrics::test_support;
using http::ClientConfig;
using http::Request;
using http::Response;

namespace {

std::string redirect_answer(const std::string& location,
                            const std::string& status = "307 Temporary Redirect") {
    return http_answer("moved", "Location: " + location + "\r\n", status);
}

ClientConfig following(std::size_t redirects) {
    ClientConfig config;
    config.url = "/base";
    config.limits.max_redirects = redirects;
    config.credentials = http::Credentials::bearer(secret_token);
    return config;
}

/// Redirects the first request, and answers the second.
ScriptedServer::Script redirect_once(std::string location) {
    return [location = std::move(location)](ScriptedServer::PeerPtr peer) -> asio::awaitable<void> {
        co_await peer->read_request();
        co_await peer->send(redirect_answer(location));
        co_await peer->read_request();
        co_await peer->send(ok_answer);
    };
}

} // namespace

TEST_CASE("a redirect is the answer by default, and is not followed") {
    HttpPair pair({answer_each_with(redirect_answer("/new"))}, following(0));
    const Result<Response> response = pair.send_request();
    REQUIRE(response.has_value());
    CHECK(response->status == 307);
    CHECK(response->location == "/new");
    CHECK(pair.server.requests().size() == 1);
}

TEST_CASE("a redirect on the same server is followed if it is permitted, with all of the request") {
    HttpPair pair({redirect_once("/elsewhere?x=1")}, following(1));
    const Result<Response> response =
        pair.send_request(Request::post("/query", "query=up", "text/plain"));
    REQUIRE(response.has_value());
    CHECK(response->body == "{}");
    REQUIRE(pair.server.requests().size() == 2);
    CHECK(pair.server.requests()[0].starts_with("POST /base/query HTTP/1.1\r\n"));
    CHECK(pair.server.requests()[1].starts_with("POST /elsewhere?x=1 HTTP/1.1\r\n"));
    CHECK(pair.server.requests()[1].find("Authorization: Bearer " + secret_token + "\r\n") !=
          std::string::npos);
    CHECK(pair.server.requests()[1].ends_with("\r\n\r\nquery=up"));
    CHECK(pair.server.connections() == 1);
}

TEST_CASE("a stream follows a redirect, and its sink receives only the last answer") {
    HttpPair pair({redirect_once("/new")}, following(1));
    const auto received = std::make_shared<Received>();
    const Result<Response> response =
        finish_call(pair.context, start_stream(pair.context, *pair.client, keep_in(received)));
    REQUIRE(response.has_value());
    CHECK(response->status == 200);
    CHECK(received->text == "{}");
}

TEST_CASE("a redirect to another server is refused, which receives neither request nor token") {
    asio::io_context context;
    const ScriptedServer other(context, {answer_each_with(ok_answer)});
    const ScriptedServer server(context, {answer_each_with(redirect_answer(other.url() + "/x"))});
    ClientConfig config = following(3);
    config.url = server.url();
    http::Client client(context.get_executor(), config);
    const Result<Response> response = send_request(context, client);
    REQUIRE_FALSE(response.has_value());
    CHECK(response.error().is(Errc::rejected));
    CHECK(response.error().http_status == 307);
    CHECK(response.error().endpoint == server.url());
    CHECK(response.error().message.find("to another server, port or scheme") != std::string::npos);
    CHECK(other.connections() == 0);
}

TEST_CASE("redirects without end are refused") {
    HttpPair pair({[](ScriptedServer::PeerPtr peer) -> asio::awaitable<void> {
                      for (int i = 1;; ++i) {
                          co_await peer->read_request();
                          co_await peer->send(redirect_answer("/" + std::to_string(i)));
                      }
                  }},
                  following(3));
    const Result<Response> response = pair.send_request();
    REQUIRE_FALSE(response.has_value());
    CHECK(response.error().message.find("more than limits.max_redirects = 3 times") !=
          std::string::npos);
    CHECK(pair.server.requests().size() == 4);
}

TEST_CASE("the deadline of a call bounds all its redirects together") {
    HttpPair pair({[](ScriptedServer::PeerPtr peer) -> asio::awaitable<void> {
                      co_await peer->read_request();
                      co_await peer->send(redirect_answer("/new"));
                      co_await peer->read_request();
                      co_await peer->wait_for_close();
                  }},
                  following(3));
    const auto call = start_call(pair.context, *pair.client, root_request,
                                 std::chrono::steady_clock::now() + std::chrono::milliseconds(50));
    const Result<Response> response = finish_call(pair.context, call);
    REQUIRE_FALSE(response.has_value());
    CHECK(response.error().is(Errc::timeout));
    CHECK(pair.server.requests().size() == 2);
}
