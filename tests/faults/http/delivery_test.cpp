// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/http/client.hpp"

#include "support/http_calls.hpp"
#include "support/http_pair.hpp"
#include "support/http_streams.hpp"
#include "support/scripted_server.hpp"
#include "support/token_rotation.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

using namespace wva_metrics;
using namespace wva_metrics::test_support;
using namespace std::chrono_literals;
using http::BodySink;
using http::Response;

namespace {

std::shared_ptr<StartedCall> start_delivery(HttpPair& pair, BodySink sink,
                                            TimePoint deadline = far_deadline()) {
    return start_call(pair.context, pair.client->send(root_request, deadline, std::move(sink)));
}

Result<Response> deliver_to(HttpPair& pair, const std::shared_ptr<Received>& received) {
    return finish_call(pair.context, start_delivery(pair, keep_in(received)));
}

} // namespace

TEST_CASE("a body reaches the sink as it arrives, and its connection is used again") {
    const bool is_chunked = GENERATE(false, true);
    const auto received = std::make_shared<Received>();
    HttpPair pair({[&, is_chunked](ScriptedServer::PeerPtr peer) -> asio::awaitable<void> {
        co_await peer->read_request();
        const std::string first = is_chunked ? chunked_head() + chunk("first")
                                             : "HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\nfirst";
        co_await peer->send(first);
        while (received->text != "first")
            co_await peer->wait(1ms);
        const std::string rest = is_chunked ? chunk("the rest") + last_chunk : "the rest";
        co_await peer->send(rest);
        co_await peer->read_request();
        co_await peer->send(ok_answer);
    }});
    const Result<Response> response = deliver_to(pair, received);
    REQUIRE(response.has_value());
    CHECK(response->status == 200);
    CHECK(response->body.empty());
    CHECK(received->text == "firstthe rest");
    CHECK(pair.client->idle_connections() == 1);
    CHECK(pair.send_request()->body == "{}");
    CHECK(pair.server.connections() == 1);
}

TEST_CASE("a body that is not 2xx is not delivered") {
    const std::string status =
        GENERATE(as<std::string>{}, "301 Moved", "403 Forbidden", "500 Oops");
    HttpPair pair({answer_each_with(http_answer("why", "Retry-After: 7\r\n", status))});
    const auto received = std::make_shared<Received>();
    const Result<Response> response = deliver_to(pair, received);
    REQUIRE(response.has_value());
    CHECK(response->body == "why");
    CHECK(response->retry_after == "7");
    CHECK(received->text.empty());
    CHECK(pair.client->idle_connections() == 1);
}

TEST_CASE("the limit of bodies ends a delivery, however the body is framed") {
    const std::string block(1000, 'x');
    const std::string head = GENERATE(as<std::string>{}, "Transfer-Encoding: chunked",
                                      "Connection: close", "Content-Length: 10001");
    const std::string piece = head.starts_with("Transfer") ? chunk(block) : block;
    HttpPair pair({[&](ScriptedServer::PeerPtr peer) -> asio::awaitable<void> {
                       co_await peer->read_request();
                       co_await peer->send("HTTP/1.1 200 OK\r\n" + head + "\r\n\r\n");
                       co_await peer->send_without_end(piece);
                   },
                   answer_each_with(ok_answer)},
                  tight_config());
    const auto received = std::make_shared<Received>();
    const Result<Response> response = deliver_to(pair, received);
    REQUIRE_FALSE(response.has_value());
    CHECK(response.error().is(Errc::too_large));
    CHECK(response.error().message.find("limits.max_body_bytes") != std::string::npos);
    CHECK(received->text.size() <= tight_config().limits.max_body_bytes);
    CHECK(received->text.empty() == head.starts_with("Content-Length"));
    CHECK(pair.client->idle_connections() == 0);
    CHECK(pair.send_request().has_value());
}

TEST_CASE("a sink that returns false ends its call, and nothing more is read") {
    HttpPair pair({[](ScriptedServer::PeerPtr peer) -> asio::awaitable<void> {
                       co_await peer->read_request();
                       co_await peer->send(chunked_head());
                       co_await peer->send_without_end(chunk("enough"));
                   },
                   answer_each_with(ok_answer)});
    const auto calls = std::make_shared<int>(0);
    const auto call = start_delivery(pair, [calls](std::string_view piece) {
        CHECK(piece.starts_with("enough"));
        ++*calls;
        return false;
    });
    const Result<Response> response = finish_call(pair.context, call);
    REQUIRE(response.has_value());
    CHECK(response->status == 200);
    CHECK(response->body.empty());
    CHECK(*calls == 1);
    CHECK(pair.client->idle_connections() == 0);
    CHECK(pair.send_request().has_value());
    CHECK(pair.server.connections() == 2);
}

TEST_CASE("a sink that throws fails its own call") {
    const bool is_standard = GENERATE(false, true);
    HttpPair pair({answer_each_with(ok_answer)});
    const auto bad = start_delivery(pair, [is_standard](std::string_view) -> bool {
        if (is_standard)
            throw std::runtime_error("out of coffee");
        throw 42;
    });
    const Result<Response> response = finish_call(pair.context, bad);
    REQUIRE_FALSE(response.has_value());
    CHECK(response.error().is(Errc::internal));
    CHECK((response.error().message.find("out of coffee") != std::string::npos) == is_standard);
    CHECK(response.error().endpoint == pair.server.url());
    CHECK(pair.client->idle_connections() == 0);
    CHECK(pair.send_request().has_value());
}

TEST_CASE("a delivery without a sink is rejected before any I/O") {
    HttpPair pair({answer_each_with(ok_answer)});
    const Result<Response> response =
        finish_call(pair.context, start_delivery(pair, BodySink(nullptr)));
    REQUIRE_FALSE(response.has_value());
    CHECK(response.error().is(Errc::invalid_argument));
    CHECK(pair.server.connections() == 0);
}

TEST_CASE("the sink receives nothing of a 401 after which the request is sent again") {
    const TokenFile file("old");
    HttpPair pair({[](ScriptedServer::PeerPtr peer) -> asio::awaitable<void> {
                      co_await peer->read_request();
                      co_await peer->send(http_answer("{}"));
                      co_await peer->read_request();
                      co_await peer->send(http_answer("who are you", "", "401 Unauthorized"));
                      co_await peer->read_request();
                      co_await peer->send(http_answer("welcome"));
                  }},
                  {.credentials = file.credentials()});
    CHECK(pair.send_request()->status == 200);
    file.write("new");
    const auto received = std::make_shared<Received>();
    const Result<Response> response = deliver_to(pair, received);
    REQUIRE(response.has_value());
    CHECK(response->status == 200);
    CHECK(received->text == "welcome");
    REQUIRE(pair.server.requests().size() == 3);
    CHECK(pair.server.requests()[2].find("Bearer new\r\n") != std::string::npos);
}

TEST_CASE("a delivery is sent again only until its sink has received something") {
    const std::string begun = GENERATE(as<std::string>{}, "", "HTTP/1.1 200 OK\r\nContent-Len",
                                       "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf ");
    HttpPair pair({[&](ScriptedServer::PeerPtr peer) -> asio::awaitable<void> {
                       co_await peer->read_request();
                       co_await peer->send(ok_answer);
                       co_await peer->read_request();
                       co_await peer->send(begun);
                   },
                   answer_each_with(http_answer("whole"))});
    CHECK(pair.send_request().has_value());
    const auto received = std::make_shared<Received>();
    const Result<Response> response = deliver_to(pair, received);
    const bool has_received = begun.ends_with("half ");
    CHECK(response.has_error() == has_received);
    CHECK(received->text == (has_received ? "half " : "whole"));
    CHECK(pair.server.connections() == (has_received ? 1 : 2));
    if (response.has_error()) {
        CHECK(response.error().is(Errc::unreachable));
        CHECK(response.error().http_status == 200);
    }
}

TEST_CASE("a delivery waits for a connection, and ends at the time of an attempt however busy") {
    http::ClientConfig config{.timeouts = {.attempt = 200ms},
                              .limits = {.max_connections = 1, .max_queued = 1}};
    HttpPair pair({[](ScriptedServer::PeerPtr peer) -> asio::awaitable<void> {
                       co_await peer->read_request();
                       co_await peer->send(chunked_head());
                       for (;;) {
                           co_await peer->send(chunk("busy"));
                           co_await peer->wait(5ms);
                       }
                   },
                   answer_each_with(http_answer("next"))},
                  config);
    const auto busy_text = std::make_shared<Received>();
    const auto busy = start_delivery(pair, keep_in(busy_text));
    run_until(pair.context, [&] { return !busy_text->text.empty(); });
    const auto next_text = std::make_shared<Received>();
    const auto next = start_delivery(pair, keep_in(next_text));
    run_ready(pair.context);
    const Result<Response> rejected =
        deliver_to(pair, std::make_shared<Received>()); // The queue is full.
    REQUIRE_FALSE(rejected.has_value());
    CHECK(rejected.error().is(Errc::unavailable));
    CHECK(pair.server.connections() == 1);

    const Result<Response> expired = finish_call(pair.context, busy);
    REQUIRE_FALSE(expired.has_value());
    CHECK(expired.error().is(Errc::timeout));
    CHECK(expired.error().message.find("timeouts.attempt") != std::string::npos);
    CHECK(finish_call(pair.context, next).has_value());
    CHECK(next_text->text == "next");
}
