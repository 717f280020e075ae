// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/http/client.hpp"

#include "support/http_calls.hpp"
#include "support/http_pair.hpp"
#include "support/http_streams.hpp"
#include "support/scripted_server.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

using namespace wva_metrics;
using namespace wva_metrics::test_support;
using namespace std::chrono_literals;
using http::BodySink;
using http::Request;
using http::Response;
using http::StreamTimeouts;

TEST_CASE("a streamed body reaches the sink as it arrives, and its connection is used again") {
    const auto received = std::make_shared<Received>();
    HttpPair pair({[&](ScriptedServer::PeerPtr peer) -> asio::awaitable<void> {
        co_await peer->read_request();
        // Byte by byte: cut within a chunk's size, its content, and its end.
        const std::string bytes =
            "HTTP/1.1 103 Early Hints\r\n\r\n" + chunked_head() + chunk("0123456789abcdefg");
        for (const char byte : bytes) {
            co_await peer->send(std::string(1, byte));
            co_await peer->wait(0ms);
        }
        while (received->text != "0123456789abcdefg")
            co_await peer->wait(1ms);
        co_await peer->send(chunk("the rest") + last_chunk);
        co_await peer->read_request();
        co_await peer->send(ok_answer);
    }});
    const auto call = start_stream(pair.context, *pair.client, keep_in(received));
    const Result<Response> response = finish_call(pair.context, call);
    REQUIRE(response.has_value());
    CHECK(response->status == 200);
    CHECK(response->body.empty());
    CHECK(received->text == "0123456789abcdefgthe rest");
    CHECK(pair.client->idle_connections() == 1);
    CHECK(pair.send_request()->body == "{}");
    CHECK(pair.server.connections() == 1);
}

TEST_CASE("a streamed body may exceed the limit of bodies, and its pieces are limited") {
    const std::string block(10'000, 'x');
    HttpPair pair({[&](ScriptedServer::PeerPtr peer) -> asio::awaitable<void> {
                      co_await peer->read_request();
                      co_await peer->send(chunked_head());
                      for (int i = 0; i < 300; ++i)
                          co_await peer->send(chunk(block));
                      co_await peer->send(last_chunk);
                  }},
                  tight_config());
    const auto received = std::make_shared<Received>();
    const auto call = start_stream(pair.context, *pair.client, keep_in(received));
    REQUIRE(finish_call(pair.context, call).has_value());
    CHECK(received->text.size() == 300 * block.size());
    CHECK(std::ranges::max(received->piece_sizes) <= tight_config().limits.max_buffer_bytes);
    CHECK(std::ranges::min(received->piece_sizes) > 0);
}

TEST_CASE("the body of any other status is collected and not passed to the sink") {
    const std::string status =
        GENERATE(as<std::string>{}, "301 Moved", "403 Forbidden", "410 Gone", "500 Oops");
    HttpPair pair({answer_each_with(http_answer("why", "Retry-After: 7\r\n", status))});
    const auto received = std::make_shared<Received>();
    const Result<Response> response =
        finish_call(pair.context, start_stream(pair.context, *pair.client, keep_in(received)));
    REQUIRE(response.has_value());
    CHECK(std::to_string(response->status) == status.substr(0, 3));
    CHECK(response->body == "why");
    CHECK(response->retry_after == "7");
    CHECK(received->text.empty());
    CHECK(pair.client->idle_connections() == 1);
}

TEST_CASE("a sink that returns false ends the stream, and the connection is closed") {
    const bool complete = GENERATE(false, true);
    HttpPair pair(
        {answer_then_silence(chunked_head() + chunk("enough") + (complete ? last_chunk : "")),
         answer_each_with(ok_answer)});
    int calls = 0;
    const auto call = start_stream(pair.context, *pair.client, [&calls](std::string_view piece) {
        CHECK(piece == "enough");
        ++calls;
        return false;
    });
    const Result<Response> response = finish_call(pair.context, call);
    REQUIRE(response.has_value());
    CHECK(response->status == 200);
    CHECK(calls == 1);
    CHECK(pair.client->idle_connections() == 0);
    CHECK(pair.send_request().has_value());
    CHECK(pair.server.connections() == 2);
}

TEST_CASE("a sink that throws ends only its own stream") {
    const bool is_standard = GENERATE(false, true);
    HttpPair pair({answer_then_silence(chunked_head() + chunk("first")),
                   answer_then_silence(chunked_head() + chunk("second")),
                   answer_each_with(ok_answer)});
    const auto received = std::make_shared<Received>();
    const auto good = start_stream(pair.context, *pair.client, keep_in(received));
    run_until(pair.context, [&] { return !received->text.empty(); });
    const auto bad =
        start_stream(pair.context, *pair.client, [is_standard](std::string_view) -> bool {
            if (is_standard)
                throw std::runtime_error("out of coffee");
            throw 42;
        });
    const Result<Response> response = finish_call(pair.context, bad);
    REQUIRE_FALSE(response.has_value());
    CHECK(response.error().is(Errc::internal));
    CHECK((response.error().message.find("out of coffee") != std::string::npos) == is_standard);
    CHECK(response.error().endpoint == pair.server.url());
    CHECK_FALSE(good->is_over());
    CHECK(pair.client->idle_connections() == 0);
    CHECK(pair.send_request().has_value());
}

TEST_CASE("a stream that breaks is an error, and the sink has received what arrived before") {
    const auto [end, code] = GENERATE(table<std::string, Errc>({
        {"", Errc::unreachable},
        {"5\r\nab", Errc::unreachable},
        {"0\r\n", Errc::unreachable},
        {"zz\r\n", Errc::bad_response},
        {"1;" + std::string(5000, 'x'), Errc::too_large},
        {"0\r\nX: " + std::string(5000, 'x'), Errc::too_large},
    }));
    CAPTURE(end.substr(0, 10));
    HttpPair pair({answer_and_close(chunked_head() + chunk("good") + end)}, tight_config());
    const auto received = std::make_shared<Received>();
    const Result<Response> response =
        finish_call(pair.context, start_stream(pair.context, *pair.client, keep_in(received)));
    REQUIRE_FALSE(response.has_value());
    CHECK(response.error().is(code));
    CHECK(response.error().http_status == 200);
    CHECK(received->text.starts_with("good"));
    CHECK(pair.client->idle_connections() == 0);
    CHECK(pair.server.connections() == 1);
}

TEST_CASE("a stream that ends with its connection is marked as such") {
    HttpPair pair({answer_and_close("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nall of it?")});
    const auto received = std::make_shared<Received>();
    const Result<Response> response =
        finish_call(pair.context, start_stream(pair.context, *pair.client, keep_in(received)));
    REQUIRE(response.has_value());
    CHECK(response->ended_by_close);
    CHECK(received->text == "all of it?");
    CHECK(pair.client->idle_connections() == 0);
}

TEST_CASE("a stream with invalid arguments is rejected before any I/O") {
    HttpPair pair({answer_each_with(ok_answer)});
    StreamTimeouts timeouts = patient_timeouts();
    BodySink sink = keep_in(std::make_shared<Received>());
    Request request = root_request;
    Errc expected = Errc::invalid_argument;
    SECTION("no sink") {
        sink = nullptr;
    }
    SECTION("no idle time") {
        timeouts.idle = 0s;
    }
    SECTION("an idle time that is too long") {
        timeouts.idle = Duration::max();
    }
    SECTION("an invalid request") {
        request = Request::get("/\r\nX: y");
    }
    SECTION("a deadline in the past") {
        timeouts.deadline = std::chrono::steady_clock::now() - 1s;
        expected = Errc::timeout;
    }
    const Result<Response> response = finish_call(
        pair.context, start_stream(pair.context, *pair.client, sink, timeouts, request));
    REQUIRE_FALSE(response.has_value());
    CHECK(response.error().is(expected));
    CHECK(response.error().endpoint == pair.server.url());
    CHECK(pair.server.connections() == 0);
}

TEST_CASE("streams and other calls have separate limits") {
    HttpPair pair({answer_then_silence(chunked_head() + chunk("x")),
                   answer_then_silence(chunked_head() + chunk("x")), answer_each_with(ok_answer)},
                  {.limits = {.max_connections = 1, .max_streams = 2, .max_queued = 1}});
    const auto received = std::make_shared<Received>();
    const auto first = start_stream(pair.context, *pair.client, keep_in(received));
    const auto second = start_stream(pair.context, *pair.client, keep_in(received));
    run_until(pair.context, [&] { return received->text == "xx"; });
    CHECK(pair.send_request().has_value());

    const Result<Response> rejected =
        finish_call(pair.context, start_stream(pair.context, *pair.client, keep_in(received)));
    REQUIRE_FALSE(rejected.has_value());
    CHECK(rejected.error().is(Errc::unavailable));
    CHECK(rejected.error().message.find("limits.max_streams = 2") != std::string::npos);
    CHECK(pair.send_request().has_value());

    // After a stream has ended, another may start.
    first->cancel.emit(asio::cancellation_type::terminal);
    CHECK(finish_call(pair.context, first).error().is(Errc::aborted));
    CHECK(finish_call(pair.context, start_stream(pair.context, *pair.client, keep_in(received)))
              .has_value());
    CHECK_FALSE(second->is_over());
}

TEST_CASE("a stream does not wait in the queue of other calls") {
    HttpPair pair({never_answer(), answer_each_with(ok_answer)},
                  {.timeouts = {.attempt = 1h}, .limits = {.max_connections = 1, .max_queued = 0}});
    const auto busy = start_call(pair.context, *pair.client);
    run_until(pair.context, [&] { return pair.server.requests().size() == 1; });
    const auto received = std::make_shared<Received>();
    CHECK(finish_call(pair.context, start_stream(pair.context, *pair.client, keep_in(received)))
              .has_value());
    CHECK_FALSE(busy->is_over());
}

TEST_CASE("a stream on an idle connection that has died is requested once more") {
    HttpPair pair({[](ScriptedServer::PeerPtr peer) -> asio::awaitable<void> {
                       co_await peer->read_request();
                       co_await peer->send(ok_answer);
                       co_await peer->read_request();
                   },
                   answer_each_with(ok_answer)});
    CHECK(pair.send_request().has_value());
    const auto received = std::make_shared<Received>();
    CHECK(finish_call(pair.context, start_stream(pair.context, *pair.client, keep_in(received)))
              .has_value());
    CHECK(received->text == "{}");
    CHECK(pair.server.connections() == 2);
}
