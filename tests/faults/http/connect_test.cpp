// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/http/client.hpp"

#include "support/http_calls.hpp"
#include "support/http_pair.hpp"
#include "support/protections.hpp"
#include "support/scripted_server.hpp"
#include "support/scripted_transport.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test_support;
using namespace std::chrono_literals;
using http::Client;
using http::Response;

TEST_CASE("calls share a slow name lookup, and wait for it only until their deadline") {
    asio::io_context context;
    const auto transport = std::make_shared<ScriptedTransport>();
    const ScriptedServer server(context, {answer_each_with(ok_answer)});
    Client client(context.get_executor(),
                  {.url = "http://name.test:" + std::to_string(server.port()),
                   .timeouts = {.resolve = 50ms},
                   .transport = transport,
                   .protection = single_attempt});
    std::vector<std::shared_ptr<StartedCall>> calls;
    for (int i = 0; i < 3; ++i)
        calls.push_back(start_call(context, client));
    for (const auto& call : calls) {
        const Result<Response> response = finish_call(context, call);
        REQUIRE_FALSE(response.has_value());
        CHECK(response.error().is(Errc::timeout));
        CHECK(response.error().message.find("timeouts.resolve") != std::string::npos);
    }
    REQUIRE(transport->lookups.size() == 1);
    // The lookup may complete after all waiters have left; the next call uses the addresses.
    transport->lookups.front()({}, {{asio::ip::address_v4::loopback(), server.port()}});
    CHECK(send_request(context, client).has_value());
    CHECK(transport->lookups.size() == 1);
    CHECK(server.requests().front().find("Host: name.test:") != std::string::npos);
}

TEST_CASE("a name lookup may complete after the client and its context were destroyed") {
    const auto transport = std::make_shared<ScriptedTransport>();
    {
        asio::io_context context;
        Client client(context.get_executor(), {.url = "http://name.test", .transport = transport});
        start_call(context, client);
        run_until(context, [&] { return transport->lookups.size() == 1; });
    }
    transport->lookups.front()({}, {{asio::ip::address_v4::loopback(), 1}});
}

TEST_CASE("a failed name lookup fails all its waiters, and the next call starts another") {
    asio::io_context context;
    const auto transport = std::make_shared<ScriptedTransport>();
    const ScriptedServer server(context, {answer_each_with(ok_answer)});
    Client client(context.get_executor(),
                  {.url = "http://name.test:" + std::to_string(server.port()),
                   .timeouts = {.resolve = 1h, .attempt = 1h},
                   .transport = transport,
                   .protection = single_attempt});
    const auto first = start_call(context, client);
    const auto second = start_call(context, client);
    run_ready(context);
    REQUIRE(transport->lookups.size() == 1);
    const bool empty = GENERATE(false, true);
    if (empty)
        transport->lookups.front()({}, {});
    else
        transport->lookups.front()(asio::error::host_not_found, {});
    CHECK(finish_call(context, first).error().is(Errc::name_lookup_failed));
    CHECK(finish_call(context, second).error().is(Errc::name_lookup_failed));
    const auto third = start_call(context, client);
    run_ready(context);
    REQUIRE(transport->lookups.size() == 2);
    transport->lookups.back()({}, {{asio::ip::address_v4::loopback(), server.port()}});
    CHECK(finish_call(context, third).has_value());
}

TEST_CASE("all addresses are tried, and the one that works is tried first next time") {
    asio::io_context context;
    const auto transport = std::make_shared<ScriptedTransport>();
    const ScriptedServer server(context, {answer_each_with(ok_answer)});
    const asio::ip::tcp::endpoint good(asio::ip::address_v4::loopback(), server.port());
    const asio::ip::tcp::endpoint bad(asio::ip::make_address("127.0.0.2"), 1);
    if (GENERATE(false, true))
        transport->black_hole = bad;
    Client client(context.get_executor(), {.url = "http://name.test",
                                           .timeouts = {.connect = 400ms},
                                           .limits = {.max_idle = 0},
                                           .transport = transport});
    const auto call = start_call(context, client);
    run_ready(context);
    REQUIRE(transport->lookups.size() == 1);
    transport->lookups.front()({}, {bad, good});
    CHECK(finish_call(context, call).has_value());
    CHECK(transport->connects == 2);
    CHECK(send_request(context, client).has_value());
    CHECK(transport->connects == 3);
    CHECK(transport->lookups.size() == 1);
}

TEST_CASE("a name is resolved again after none of its addresses worked") {
    asio::io_context context;
    const auto transport = std::make_shared<ScriptedTransport>();
    const ScriptedServer server(context, {answer_each_with(ok_answer)});
    const asio::ip::tcp::endpoint good(asio::ip::address_v4::loopback(), server.port());
    const asio::ip::tcp::endpoint bad(asio::ip::address_v4::loopback(), 1);
    Client client(
        context.get_executor(),
        {.url = "http://name.test", .transport = transport, .protection = single_attempt});
    const auto first = start_call(context, client);
    run_ready(context);
    transport->lookups.at(0)({}, {bad});
    CHECK(finish_call(context, first).error().is(Errc::unreachable));
    const auto second = start_call(context, client);
    run_ready(context);
    transport->lookups.at(1)({}, {good});
    CHECK(finish_call(context, second).has_value());
}

TEST_CASE("a connection that is not established in time is an error that names the timeout") {
    asio::io_context context;
    const auto transport = std::make_shared<ScriptedTransport>();
    transport->black_hole = asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), 1);
    Client client(
        context.get_executor(),
        {.url = "http://127.0.0.1:1", .timeouts = {.connect = 50ms}, .transport = transport});
    const Result<Response> response = send_request(context, client);
    REQUIRE_FALSE(response.has_value());
    CHECK(response.error().is(Errc::timeout));
    CHECK(response.error().message.find("within 50 ms (timeouts.connect)") != std::string::npos);
}
