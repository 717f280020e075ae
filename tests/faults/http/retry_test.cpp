// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/http/client.hpp"

#include "support/http_calls.hpp"
#include "support/http_pair.hpp"
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
using Catch::Matchers::ContainsSubstring;
using http::ClientConfig;
using http::Response;
using resilience::ProtectionEvent;

namespace {

/// Waits so short that tests do not notice them.
ClientConfig hasty() {
    ClientConfig config;
    config.protection.retry.first_backoff = 1ms;
    return config;
}

ScriptedServer::Script answer_with_status(const std::string& status,
                                          const std::string& headers = "") {
    return answer_each_with(http_answer("no", headers, status));
}

ScriptedServer::Script reset_after(std::string bytes) {
    return [bytes = std::move(bytes)](ScriptedServer::PeerPtr peer) -> asio::awaitable<void> {
        co_await peer->read_request();
        co_await peer->send(bytes);
        peer->reset();
    };
}

} // namespace

TEST_CASE("a connection that is refused is tried again, and a server that has come back is found") {
    asio::io_context context;
    const auto transport = std::make_shared<ScriptedTransport>();
    const ScriptedServer server(context, {answer_each_with(ok_answer)});
    ClientConfig config = hasty();
    config.url = "http://name.test";
    config.transport = transport;
    http::Client client(context.get_executor(), config);
    const auto call = start_call(context, client);
    run_until(context, [&] { return transport->lookups.size() == 1; });
    transport->lookups.at(0)({}, {{asio::ip::address_v4::loopback(), 1}});
    run_until(context, [&] { return transport->lookups.size() == 2; });
    transport->lookups.at(1)({}, {{asio::ip::address_v4::loopback(), server.port()}});
    CHECK(finish_call(context, call).has_value());
    CHECK(server.requests().size() == 1);
    CHECK(client.protection_stats().failures == 1);
    CHECK(client.protection_stats().retries == 1);
}

TEST_CASE("a request is sent again after a failure that may pass") {
    const ScriptedServer::Script failure = GENERATE(
        reset_after(""), answer_and_close(""), reset_after("HTTP/1.1 200 O"),
        answer_and_close("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n1234"),
        answer_and_close("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n1234"));
    HttpPair pair({failure, failure, answer_each_with(ok_answer)}, hasty());
    CHECK(pair.send_request()->body == "{}");
    CHECK(pair.server.requests().size() == 3);
}

TEST_CASE("a request is sent again after a status that may pass") {
    const auto status =
        GENERATE(as<std::string>{}, "408 x", "425 x", "429 x", "502 x", "503 x", "504 x");
    HttpPair pair({answer_and_close(http_answer("no", "Connection: close\r\n", status)),
                   answer_each_with(ok_answer)},
                  hasty());
    CHECK(pair.send_request()->status == 200);
    CHECK(pair.server.requests().size() == 2);
}

TEST_CASE("a request is not sent again after an answer that means the request") {
    const auto status = GENERATE(as<std::string>{}, "301 x", "400 x", "403 x", "404 x", "405 x",
                                 "413 x", "414 x", "422 x", "500 x", "501 x");
    HttpPair pair({answer_with_status(status, "Retry-After: 1\r\n")}, hasty());
    CHECK(std::to_string(pair.send_request()->status) == status.substr(0, 3));
    CHECK(pair.server.requests().size() == 1);
    // A pause is asked for by 429 and 503 only.
    CHECK(pair.send_request().has_value());
    CHECK(pair.server.requests().size() == 2);
}

TEST_CASE("a request is not sent again after an answer that is no HTTP, or too large") {
    const auto bytes = GENERATE(as<std::string>{}, "garbage\r\n\r\n",
                                "HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n");
    HttpPair pair({answer_and_close(bytes)}, hasty());
    CHECK(pair.send_request().has_error());
    CHECK(pair.server.requests().size() == 1);
}

TEST_CASE("a request that has been sent is not sent again after a timeout") {
    ClientConfig config = hasty();
    config.timeouts.attempt = 50ms;
    HttpPair pair({never_answer()}, config);
    CHECK(pair.send_request().error().is(Errc::timeout));
    CHECK(pair.server.requests().size() == 1);
    CHECK(pair.client->protection_stats().failures == 1);
}

TEST_CASE("an API may say in the body that a failure means the request") {
    ClientConfig config = hasty();
    config.is_about_request = [](const Response& response) { return response.body == "no"; };
    HttpPair pair({answer_with_status("503 x", "Retry-After: 9\r\n")}, config);
    for (int i = 0; i < 10; ++i)
        CHECK(pair.send_request()->status == 503);
    CHECK(pair.server.requests().size() == 10);
    CHECK(pair.client->protection_stats().failures == 0);
}

TEST_CASE("a request is sent three times at most, and the error says how often") {
    ClientConfig config = hasty();
    std::vector<ProtectionEvent::Kind> told;
    config.protection.on_event = [&told](const ProtectionEvent& event) {
        if (event.kind != ProtectionEvent::Kind::limit_lowered)
            told.push_back(event.kind);
    };
    HttpPair pair({answer_and_close("")}, config);
    const Result<Response> response = pair.send_request();
    REQUIRE(response.has_error());
    CHECK(response.error().is(Errc::unreachable));
    CHECK_THAT(response.error().message, ContainsSubstring("(after 3 attempts)"));
    CHECK(pair.server.requests().size() == 3);
    CHECK(told == std::vector(2, ProtectionEvent::Kind::retrying));
}

TEST_CASE("all callers of an endpoint share the budget of its retries") {
    ClientConfig config = hasty();
    config.protection.breaker.enabled = false;
    HttpPair pair({answer_with_status("503 x")}, config);
    for (int i = 0; i < 50; ++i)
        CHECK(pair.send_request()->status == 503);
    CHECK(pair.server.requests().size() == 55);
    CHECK(pair.client->protection_stats().retries == 5);
    CHECK(pair.client->protection_stats().retries_denied > 40);
}

TEST_CASE("a retry that could not end before the caller's deadline is not begun") {
    ClientConfig config = hasty();
    config.protection.retry.min_time = 1h;
    HttpPair pair({answer_with_status("503 x")}, config);
    CHECK(pair.send_request()->status == 503);
    CHECK(pair.server.requests().size() == 1);
}

TEST_CASE(
    "a call that waits for its next attempt ends when it is cancelled or its client destroyed") {
    std::size_t retries = 0;
    ClientConfig config;
    config.protection.on_event = [&retries](const ProtectionEvent& event) {
        retries += event.kind == ProtectionEvent::Kind::retrying ? 1U : 0U;
    };
    HttpPair pair({answer_with_status("503 x", "Retry-After: 20\r\n")}, config);
    const auto call = start_call(pair.context, *pair.client);
    run_until(pair.context, [&] { return retries == 1; });
    if (GENERATE(false, true))
        call->cancel.emit(asio::cancellation_type::terminal);
    else
        pair.client.reset();
    run_until(pair.context, [&] { return call->is_over(); });
    CHECK(call->was_cancelled());
    CHECK(pair.server.requests().size() == 1);
}

TEST_CASE("Retry-After is obeyed, and capped") {
    const auto [status, pause] = GENERATE(table<std::string, std::string>(
        {{"429 x", "3600"}, {"503 x", "3600"}, {"503 x", "Fri, 31 Dec 9999 23:59:59 GMT"}}));
    ClientConfig config = hasty();
    config.protection.max_retry_after = 20ms;
    std::vector<std::string> told;
    config.protection.on_event = [&told](const ProtectionEvent& event) {
        if (event.kind != ProtectionEvent::Kind::limit_lowered)
            told.push_back(event.reason);
    };
    HttpPair pair({answer_and_close(http_answer(
                       "no", "Retry-After: " + pause + "\r\nConnection: close\r\n", status)),
                   answer_each_with(ok_answer)},
                  config);
    CHECK(pair.send_request()->status == 200);
    REQUIRE(told.size() == 2);
    CHECK(told[0] == "HTTP " + status.substr(0, 3) + ", Retry-After 20ms");
    CHECK(told[1].starts_with("attempt 2 in "));
    CHECK(pair.server.requests().size() == 2);
    CHECK(pair.client->protection_stats().pauses == 1);
}

TEST_CASE("nothing is sent during the pause of Retry-After, and the caller learns why at once") {
    HttpPair pair({answer_with_status("429 x", "Retry-After: 30\r\n")}, hasty());
    // It cannot wait for that long.
    const auto deadline = std::chrono::steady_clock::now() + 20s;
    CHECK(send_request(pair.context, *pair.client, root_request, deadline)->status == 429);
    for (int i = 0; i < 10; ++i) {
        const Result<Response> response = pair.send_request();
        REQUIRE(response.has_error());
        CHECK(response.error().is(Errc::unavailable));
        CHECK_THAT(response.error().message,
                   ContainsSubstring("the server has asked for a pause (HTTP 429)"));
    }
    CHECK(pair.server.requests().size() == 1);
    CHECK(pair.client->protection_stats().refused == 10);
}

TEST_CASE("a Retry-After that is garbage or negative is ignored") {
    const auto text = GENERATE(as<std::string>{}, "-30", "soon", "1e9", "99999999 years");
    HttpPair pair({answer_and_close(http_answer(
                       "no", "Retry-After: " + text + "\r\nConnection: close\r\n", "503 x")),
                   answer_each_with(ok_answer)},
                  hasty());
    CHECK(pair.send_request()->status == 200);
    CHECK(pair.client->protection_stats().pauses == 0);
}
