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
#include <utility>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test_support;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using http::ClientConfig;
using http::Priority;
using http::Request;
using http::Response;
using resilience::CircuitBreaker;
using resilience::ProtectionEvent;

namespace {

/// The targets of the requests, all of them GET.
std::vector<std::string> targets_of(const ScriptedServer& server) {
    std::vector<std::string> targets;
    for (const std::string& request : server.requests())
        targets.push_back(request.substr(4, request.find(' ', 4) - 4));
    return targets;
}

Request in_background(std::string target) {
    return Request::get(std::move(target)).with_priority(Priority::background);
}

/// Answers with 503 as long as `fails`.
ScriptedServer::Script answer_unless(std::shared_ptr<bool> fails) {
    return [fails](ScriptedServer::PeerPtr peer) -> asio::awaitable<void> {
        for (;;) {
            co_await peer->read_request();
            const std::string bytes = *fails ? http_answer("no", "", "503 x") : ok_answer;
            co_await peer->send(bytes);
        }
    };
}

} // namespace

TEST_CASE("a storm of 503 costs the server a bounded number of requests") {
    HttpPair pair({answer_each_with(http_answer("no", "", "503 x"))});
    std::vector<std::shared_ptr<StartedCall>> calls;
    for (int i = 0; i < 500; ++i)
        calls.push_back(start_call(pair.context, *pair.client));
    for (const auto& call : calls)
        finish_call(pair.context, call);
    for (int i = 0; i < 500; ++i)
        pair.send_request();
    // Five open the breaker; the others were in flight then.
    CHECK(pair.server.requests().size() < 5 + 10);
    CHECK(pair.client->protection_stats().refused > 900);
}

TEST_CASE("an open breaker asks nothing, and says since when, why and until when") {
    HttpPair pair({answer_and_close("")});
    while (pair.client->protection_stats().breaker == CircuitBreaker::State::closed)
        CHECK(pair.send_request().has_error());
    const std::size_t sent = pair.server.connections();
    CHECK(sent == 5);
    for (int i = 0; i < 10; ++i) {
        const Result<Response> response = pair.send_request();
        REQUIRE(response.has_error());
        CHECK(response.error().is(Errc::unavailable));
        CHECK(response.error().endpoint == pair.server.url());
        CHECK_THAT(
            response.error().message,
            ContainsSubstring("the circuit breaker has been open since ") &&
                ContainsSubstring(" UTC after 5 failures in a row, the last one: unreachable") &&
                ContainsSubstring("; the next request is sent at "));
    }
    CHECK(pair.server.connections() == sent);
    const resilience::ProtectionStats stats = pair.client->protection_stats();
    CHECK(stats.breaker == CircuitBreaker::State::open);
    CHECK(stats.open_since.has_value());
    CHECK(stats.not_before.has_value());
    CHECK_THAT(stats.reason, ContainsSubstring("5 failures in a row"));
}

TEST_CASE("a server that works again is found by one probe, and then used as before") {
    const auto fails = std::make_shared<bool>(true);
    ClientConfig config;
    config.protection.breaker.first_pause = 20ms;
    std::vector<ProtectionEvent::Kind> told;
    config.protection.on_event = [&told](const ProtectionEvent& event) {
        if (to_string(event.kind).starts_with("breaker"))
            told.push_back(event.kind);
    };
    HttpPair pair({answer_unless(fails)}, config);
    while (pair.client->protection_stats().breaker == CircuitBreaker::State::closed)
        pair.send_request();
    CHECK(pair.server.requests().size() == 5);
    *fails = false;
    while (pair.client->protection_stats().breaker != CircuitBreaker::State::closed)
        pair.send_request();
    CHECK(pair.server.requests().size() == 8);
    CHECK(told == std::vector{ProtectionEvent::Kind::breaker_opened,
                              ProtectionEvent::Kind::breaker_probing,
                              ProtectionEvent::Kind::breaker_closed});
    CHECK(pair.send_request().has_value());
}

TEST_CASE("answers that mean the request never open the breaker") {
    const auto status = GENERATE(as<std::string>{}, "400 x", "401 x", "404 x", "422 x", "501 x");
    HttpPair pair({answer_each_with(http_answer("no", "", status))});
    for (int i = 0; i < 100; ++i)
        CHECK(pair.send_request().has_value());
    CHECK(pair.server.requests().size() == 100);
    CHECK(pair.client->protection_stats().breaker == CircuitBreaker::State::closed);
}

TEST_CASE("callers who leave early never open the breaker") {
    HttpPair pair({never_answer()});
    for (int i = 0; i < 8; ++i) {
        const auto deadline = std::chrono::steady_clock::now() + 5ms;
        CHECK(send_request(pair.context, *pair.client, root_request, deadline)
                  .error()
                  .is(Errc::timeout));
    }
    CHECK(pair.client->protection_stats().failures == 0);
    CHECK(pair.client->protection_stats().breaker == CircuitBreaker::State::closed);
}

TEST_CASE("a stream that cannot be opened counts, and a stream whose header arrives is a success") {
    SECTION("failures") {
        HttpPair pair({answer_each_with(http_answer("no", "", "503 x"))});
        for (int i = 0; i < 6; ++i)
            finish_call(pair.context, start_stream(pair.context, *pair.client,
                                                   keep_in(std::make_shared<Received>())));
        CHECK(pair.server.requests().size() == 5);
    }
    SECTION("the header") {
        HttpPair pair({answer_then_silence(chunked_head())});
        const auto stream =
            start_stream(pair.context, *pair.client, keep_in(std::make_shared<Received>()));
        run_until(pair.context, [&] { return pair.client->protection_stats().successes == 1; });
        CHECK_FALSE(stream->is_over());
    }
}

TEST_CASE("a background request waits for the interactive ones, however long it has waited") {
    HttpPair pair({answer_each_with(ok_answer)}, {.limits = {.max_connections = 1}});
    std::vector<std::shared_ptr<StartedCall>> calls;
    for (const char* target : {"/first", "/b1", "/b2"})
        calls.push_back(start_call(pair.context, *pair.client, in_background(target)));
    for (const char* target : {"/i1", "/i2"})
        calls.push_back(start_call(pair.context, *pair.client, Request::get(target)));
    for (const auto& call : calls)
        CHECK(finish_call(pair.context, call).has_value());
    CHECK(targets_of(pair.server) ==
          std::vector<std::string>{"/first", "/i1", "/i2", "/b1", "/b2"});
}

TEST_CASE("background requests leave one connection to those for whom somebody waits") {
    HttpPair pair({never_answer()},
                  {.timeouts = {.attempt = 1h}, .limits = {.max_connections = 3}});
    for (int i = 0; i < 10; ++i)
        start_call(pair.context, *pair.client, in_background("/b"));
    run_until(pair.context, [&] { return pair.server.requests().size() == 2; });
    run_ready(pair.context);
    start_call(pair.context, *pair.client, Request::get("/i"));
    run_until(pair.context, [&] { return pair.server.requests().size() == 3; });
    CHECK(targets_of(pair.server) == std::vector<std::string>{"/b", "/b", "/i"});
}

TEST_CASE("in a full queue a background request gives its place to an interactive one") {
    HttpPair pair({never_answer()},
                  {.timeouts = {.attempt = 1h}, .limits = {.max_connections = 1, .max_queued = 2}});
    const auto busy = start_call(pair.context, *pair.client);
    run_until(pair.context, [&] { return pair.server.requests().size() == 1; });
    const auto older = start_call(pair.context, *pair.client, in_background("/older"));
    const auto newer = start_call(pair.context, *pair.client, in_background("/newer"));
    run_ready(pair.context);
    const auto first = start_call(pair.context, *pair.client, Request::get("/i"));
    CHECK(finish_call(pair.context, newer).error().is(Errc::unavailable));
    CHECK_FALSE(older->is_over());
    const auto second = start_call(pair.context, *pair.client, Request::get("/i"));
    CHECK(finish_call(pair.context, older).error().is(Errc::unavailable));
    // Only interactive ones are left: the next is rejected, as is one in the background.
    CHECK(pair.send_request().error().is(Errc::unavailable));
    CHECK(pair.send_request(in_background("/b")).error().is(Errc::unavailable));
    CHECK_FALSE(first->is_over());
    CHECK_FALSE(second->is_over());
    busy->cancel.emit(asio::cancellation_type::terminal);
    run_until(pair.context, [&] { return pair.server.requests().size() == 2; });
}

TEST_CASE("fewer requests are in flight after failures, and more again after successes") {
    const auto fails = std::make_shared<bool>(true);
    HttpPair pair({answer_unless(fails)}, {.protection = {.retry = {.attempts = 1}}});
    for (int i = 0; i < 4; ++i)
        pair.send_request();
    CHECK(pair.client->protection_stats().concurrency_limit == 1);
    *fails = false;
    const std::size_t connections = pair.server.connections();
    std::vector<std::shared_ptr<StartedCall>> calls;
    for (int i = 0; i < 100; ++i)
        calls.push_back(start_call(pair.context, *pair.client));
    for (const auto& call : calls)
        CHECK(finish_call(pair.context, call).has_value());
    CHECK(pair.client->protection_stats().concurrency_limit == 10);
    CHECK(pair.server.connections() > connections);
}
