// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/http/client.hpp"

#include "support/http_calls.hpp"
#include "support/http_streams.hpp"
#include "support/protections.hpp"
#include "support/scripted_server.hpp"
#include "support/scripted_transport.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test_support;
using namespace std::chrono_literals;

namespace {

/// A name with two addresses, with a server on each.
struct TwoAddresses {
    TwoAddresses(std::vector<ScriptedServer::Script> first_scripts,
                 std::vector<ScriptedServer::Script> second_scripts, http::Timeouts timeouts)
        : first(context, std::move(first_scripts)),
          second(context, std::move(second_scripts),
                 {asio::ip::make_address("127.0.0.2"), first.port()}) {
        transport->addresses = {{asio::ip::make_address("127.0.0.1"), first.port()},
                                {asio::ip::make_address("127.0.0.2"), first.port()}};
        client = std::make_unique<http::Client>(
            context.get_executor(),
            http::ClientConfig{.url = "http://name.test:" + std::to_string(first.port()),
                               .timeouts = timeouts,
                               .transport = transport,
                               .protection = unprotected});
    }

    Result<http::Response> send() { return send_request(context, *client); }

    asio::io_context context;
    std::shared_ptr<ScriptedTransport> transport = std::make_shared<ScriptedTransport>();
    ScriptedServer first;
    ScriptedServer second;
    std::unique_ptr<http::Client> client;
};

/// No address is tried again within a test.
const http::Timeouts no_retry{
    .attempt = 100ms, .address_retry = std::chrono::hours(1), .max_address_retry = 1h};
/// An address is tried again by the next call.
const http::Timeouts quick_retry{.attempt = 400ms, .address_retry = 1ns, .max_address_retry = 1ns};

ScriptedServer::Script reset_each() {
    return [](ScriptedServer::PeerPtr peer) -> asio::awaitable<void> {
        co_await peer->read_request();
        peer->reset();
    };
}

std::string broken_answer() {
    return "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf";
}

std::vector<ScriptedServer::Script> failing_scripts() {
    return {never_answer(),
            reset_each(),
            answer_and_close(broken_answer()),
            answer_then_silence(broken_answer()),
            answer_each_with(http_answer("", "", "502 Bad Gateway")),
            answer_each_with(http_answer("", "", "503 Busy")),
            answer_each_with(http_answer("", "", "504 Gateway Timeout"))};
}

bool is_served(const Result<http::Response>& response) {
    return response && response->status == 200;
}

} // namespace

TEST_CASE("an address that does not serve is left after one failure") {
    for (const ScriptedServer::Script& script : failing_scripts()) {
        TwoAddresses host({script}, {answer_each_with(ok_answer)}, no_retry);
        CHECK_FALSE(is_served(host.send()));
        for (int i = 0; i < 7; ++i)
            CHECK(is_served(host.send()));
        CHECK(host.first.requests().size() == 1);
        CHECK(host.second.requests().size() == 7);
        CHECK(host.second.connections() == 1);
        // A stream avoids the address, too.
        const auto received = std::make_shared<Received>();
        CHECK(is_served(finish_call(host.context,
                                    start_stream(host.context, *host.client, keep_in(received)))));
        CHECK(received->text == "{}");
        CHECK(host.first.connections() == 1);
    }
}

TEST_CASE("an address that did not serve is tried again, without harm to the call that tries") {
    for (const ScriptedServer::Script& script : failing_scripts()) {
        TwoAddresses host({script}, {answer_each_with(ok_answer)}, quick_retry);
        CHECK_FALSE(is_served(host.send()));
        for (int i = 0; i < 3; ++i)
            CHECK(is_served(host.send()));
        CHECK(host.first.requests().size() == 4);
        CHECK(host.second.requests().size() == 3);
    }
}

TEST_CASE("an address that serves again is used again") {
    TwoAddresses host({answer_and_close(broken_answer()), answer_each_with(ok_answer)},
                      {answer_each_with(ok_answer)}, quick_retry);
    CHECK_FALSE(is_served(host.send()));
    for (int i = 0; i < 4; ++i)
        CHECK(is_served(host.send()));
    CHECK(host.first.requests().size() == 5);
    CHECK(host.second.requests().empty());
}

TEST_CASE("idle connections to an address that does not serve are closed") {
    std::size_t answers = 0;
    const auto serve_twice = [&](ScriptedServer::PeerPtr peer) -> asio::awaitable<void> {
        for (;;) {
            co_await peer->read_request();
            ++answers;
            // A variable, because GCC 12 destroys a conditional temporary of a co_await twice.
            const std::string answer = answers <= 2 ? ok_answer : http_answer("", "", "503 Busy");
            co_await peer->send(answer);
        }
    };
    TwoAddresses host({serve_twice}, {answer_each_with(ok_answer)}, no_retry);
    const auto one = start_call(host.context, *host.client);
    const auto other = start_call(host.context, *host.client);
    CHECK(is_served(finish_call(host.context, one)));
    CHECK(is_served(finish_call(host.context, other)));
    CHECK(host.client->idle_connections() == 2);
    CHECK(host.send()->status == 503);
    CHECK(host.client->idle_connections() == 0);
    CHECK(is_served(host.send()));
    CHECK(host.second.requests().size() == 1);
}

TEST_CASE("if no address serves, each call still asks one of them") {
    TwoAddresses host({answer_each_with(http_answer("", "", "503 Busy"))},
                      {answer_each_with(http_answer("", "", "502 Bad Gateway"))}, no_retry);
    for (int i = 0; i < 6; ++i)
        CHECK_FALSE(is_served(host.send()));
    CHECK(host.first.requests().size() == 3);
    CHECK(host.second.requests().size() == 3);
}

TEST_CASE("the only address of a host is asked whatever it answered, over the same connection") {
    asio::io_context context;
    ScriptedServer server(context, {answer_each_with(http_answer("", "", "503 Busy"))});
    http::Client client(context.get_executor(), {.url = server.url(), .protection = unprotected});
    for (int i = 0; i < 3; ++i)
        CHECK(send_request(context, client)->status == 503);
    CHECK(server.requests().size() == 3);
    CHECK(server.connections() == 1);
}

TEST_CASE("answers that say something about the request do not make an address avoided") {
    for (const char* status : {"400 Bad Request", "422 Unprocessable Entity", "401 Unauthorized",
                               "404 Not Found", "429 Too Many Requests", "500 Oops"}) {
        TwoAddresses host({answer_each_with(http_answer("", "", status))},
                          {answer_each_with(ok_answer)}, no_retry);
        for (int i = 0; i < 3; ++i)
            CHECK(host.send().has_value());
        CHECK(host.first.requests().size() == 3);
        CHECK(host.second.connections() == 0);
    }
}

TEST_CASE("an address that accepts connections but no TLS handshake is left, and tried again") {
    TwoAddresses host({never_answer()}, {answer_each_with(ok_answer)}, quick_retry);
    host.transport->stalled_handshake = host.transport->addresses.front();
    CHECK(host.send().error().is(Errc::timeout));
    for (int i = 0; i < 3; ++i)
        CHECK(is_served(host.send()));
    CHECK(host.first.connections() == 4);
    host.transport->stalled_handshake.reset();
}

TEST_CASE("a name is not looked up again because an address that failed still fails") {
    TwoAddresses host({answer_and_close(broken_answer())}, {answer_each_with(ok_answer)},
                      quick_retry);
    CHECK_FALSE(is_served(host.send()));
    host.transport->black_hole = host.transport->addresses.front();
    host.transport->addresses.clear();
    for (int i = 0; i < 3; ++i)
        CHECK(is_served(host.send()));
    CHECK(host.transport->lookups.empty());
}
