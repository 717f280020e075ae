// SPDX-License-Identifier: Apache-2.0
//
// Servers that refuse queries by an HTTP status: what a user of a collector gets then.
#include "wva_metrics/resilience/protection_config.hpp"

#include "support/misbehaving_prometheus.hpp"
#include "support/scripted_server.hpp"
#include "support/token_rotation.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <string>
#include <tuple>

using namespace wva_metrics;
using namespace wva_metrics::test_support;
using Catch::Matchers::ContainsSubstring;

namespace {

std::string refuse_with(const std::string& status, const std::string& body = {},
                        const std::string& headers = {}) {
    return http_answer(body, headers, status);
}
std::string refusal_of_api(const std::string& status, const std::string& type,
                           const std::string& text) {
    return refuse_with(status, R"({"status":"error","errorType":")" + type + R"(","error":")" +
                                   text + "\"}");
}

/// With retries, the circuit breaker and the pauses that servers ask for, as by default.
struct ProtectedPrometheus : MisbehavingPrometheus {
    ProtectedPrometheus() {
        config.batch_timeout = 9s;
        config.client.http.protection = {};
        config.client.http.protection.retry.first_backoff = 1ms;
    }

    /// The last good value is served. Returns why there is no newer one.
    Error collect_stale() {
        expire();
        const Result<OptimizerSnapshot> stale = collect();
        REQUIRE(stale.has_value());
        CHECK(stale->source() == Source::stale_on_error);
        CHECK((*stale)->arrival_rate_per_minute.value() == Catch::Approx(60));
        return collector().health().last_error;
    }
    void collect_renewed() {
        expire();
        const Result<OptimizerSnapshot> renewed = collect();
        REQUIRE(renewed.has_value());
        CHECK(renewed->source() == Source::backend);
        CHECK((*renewed)->arrival_rate_per_minute.value() == Catch::Approx(60));
    }
    std::size_t requests_with(const std::string& text) const {
        return static_cast<std::size_t>(std::count_if(
            server.requests().begin(), server.requests().end(),
            [&](const std::string& request) { return request.find(text) != std::string::npos; }));
    }
};

/// Queries of a round for which nothing is known of the window.
constexpr std::size_t queries_of_round = 2;

} // namespace

TEST_CASE("an answer that is cut off is asked for again, and nobody notices") {
    const auto [bytes, end] = GENERATE(table<std::string, Misbehaviour::End>({
        {"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"status\"", Misbehaviour::End::close},
        {"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"status\"", Misbehaviour::End::reset},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{\"status\"",
         Misbehaviour::End::close},
        {"", Misbehaviour::End::close},
    }));
    CAPTURE(bytes);
    ProtectedPrometheus prometheus;
    prometheus.server.misbehave({bytes, end}, 1);
    CHECK(prometheus.rate() == Catch::Approx(60));
    CHECK(prometheus.server.misbehaved() == 1);
    CHECK(prometheus.collector().stats().failed_targets == 0);
}

TEST_CASE(
    "a query that is wrong or cannot be executed is asked once, however many are refused, and "
    "no breaker opens") {
    const auto [answer, code] = GENERATE(table<std::string, Errc>({
        {refusal_of_api("400 Bad Request", "bad_data", "parse error"), Errc::rejected},
        {refusal_of_api("422 Unprocessable Entity", "execution", "many-to-many matching"),
         Errc::rejected},
        {refuse_with("400 Bad Request", "no JSON"), Errc::rejected},
        {refusal_of_api("503 Service Unavailable", "timeout", "query timed out in query execution"),
         Errc::unavailable},
    }));
    CAPTURE(answer);
    ProtectedPrometheus prometheus;
    REQUIRE(prometheus.rate() == Catch::Approx(60));
    prometheus.server.misbehave({answer});
    CHECK(prometheus.collect_stale().is(code));
    CHECK(prometheus.server.misbehaved() <= queries_of_round);
    for (int i = 0; i < 10; ++i) {
        const Result<OptimizerSnapshot> refused =
            prometheus.collect(variant_of("other", "m" + std::to_string(i)));
        REQUIRE(refused.has_error());
        CHECK(refused.error().is(code));
    }
    CHECK(prometheus.server.misbehaved() <= 11 * queries_of_round);
    CHECK(prometheus.server.reused() > 0);
    prometheus.server.behave();
    prometheus.collect_renewed();
}

TEST_CASE("a server in trouble is asked again, and the last good value is served meanwhile") {
    const std::string answer = GENERATE(
        refuse_with("503 Service Unavailable", "<html>gateway</html>"),
        refuse_with("502 Bad Gateway", "upstream connect error"),
        refuse_with("504 Gateway Timeout"), refuse_with("429 Too Many Requests", "slow down"),
        refuse_with("429 Too Many Requests", "slow down", "Retry-After: -1\r\n"),
        refuse_with("429 Too Many Requests", "slow down", "Retry-After: soon\r\n"),
        refuse_with("429 Too Many Requests", "slow down", "Retry-After: 1e9\r\n"),
        refusal_of_api("503 Service Unavailable", "unavailable", "not ready"));
    CAPTURE(answer);
    ProtectedPrometheus prometheus;
    prometheus.config.client.http.protection.breaker.enabled = false;
    REQUIRE(prometheus.rate() == Catch::Approx(60));
    prometheus.server.misbehave({answer});
    const Error error = prometheus.collect_stale();
    CAPTURE(error.describe());
    CHECK(error.is(Errc::unavailable));
    // Three times each at most, less if one has failed for good before.
    CHECK(prometheus.server.misbehaved() >= 3);
    CHECK(prometheus.server.misbehaved() <= 3 * queries_of_round);
    prometheus.server.behave();
    prometheus.collect_renewed();
}

TEST_CASE("one 503 of a gateway costs nobody an answer") {
    ProtectedPrometheus prometheus;
    prometheus.server.misbehave({refuse_with("503 Service Unavailable", "<html>gateway</html>")},
                                1);
    CHECK(prometheus.rate() == Catch::Approx(60));
    CHECK(prometheus.collector().stats().failed_targets == 0);
}

TEST_CASE("a server that asks for a pause is not asked during it, by whomever") {
    const std::string pause =
        GENERATE(as<std::string>{}, "30", "1000000000", "Fri, 31 Dec 9999 23:59:59 GMT");
    CAPTURE(pause);
    ProtectedPrometheus prometheus;
    REQUIRE(prometheus.rate() == Catch::Approx(60));
    prometheus.server.misbehave(
        {refuse_with("429 Too Many Requests", "slow down", "Retry-After: " + pause + "\r\n")});
    CHECK(prometheus.collect_stale().is(Errc::unavailable));
    const std::size_t asked = prometheus.server.misbehaved();
    CHECK(asked <= queries_of_round);
    CHECK(prometheus.collect_stale().is(Errc::unavailable));
    for (int i = 0; i < 5; ++i) {
        const Error error =
            prometheus.collect(variant_of("other", "m" + std::to_string(i))).error();
        CHECK_THAT(error.describe(), ContainsSubstring("the server has asked for a pause"));
    }
    CHECK(prometheus.server.misbehaved() == asked);
}

TEST_CASE("a rotated token is read again after a 401, and the same call uses it") {
    const TokenFile file("old");
    ProtectedPrometheus prometheus;
    prometheus.config.client.http.credentials = file.credentials();
    REQUIRE(prometheus.rate() == Catch::Approx(60));
    file.write("new");
    prometheus.server.misbehave({unauthorized_answer}, MisbehavingServer::always, "Bearer old\r\n");
    prometheus.collect_renewed();
    CHECK(prometheus.server.misbehaved() >= 1);
    CHECK(prometheus.server.misbehaved() <= queries_of_round);
    // The old one is not sent any more.
    const std::size_t asked = prometheus.server.misbehaved();
    prometheus.collect_renewed();
    CHECK(prometheus.server.misbehaved() == asked);
}

TEST_CASE("while the token is not accepted the last good value is served, and each query is sent "
          "twice at most") {
    const TokenFile file("old");
    ProtectedPrometheus prometheus;
    prometheus.config.client.http.credentials = file.credentials();
    REQUIRE(prometheus.rate() == Catch::Approx(60));
    prometheus.server.misbehave({unauthorized_answer}, MisbehavingServer::always, "Bearer ");
    const std::string replacement = GENERATE("old", "other");
    file.write(replacement);
    const Error error = prometheus.collect_stale();
    CHECK(error.is(Errc::unauthorized));
    CHECK(prometheus.server.misbehaved() <= 2 * queries_of_round);
    prometheus.server.behave();
    prometheus.collect_renewed();
}

TEST_CASE("a token file that is broken during its rotation costs no value, and its bytes are not "
          "sent") {
    const std::string content = GENERATE(as<std::string>{}, "", " \r\n", "new\r\nX-Injected: 1",
                                         std::string("n\0w", 3), std::string(70'000, 'x'));
    const TokenFile file("old");
    ProtectedPrometheus prometheus;
    prometheus.config.client.http.credentials = file.credentials();
    REQUIRE(prometheus.rate() == Catch::Approx(60));
    file.write(content);
    // The old token is still accepted.
    prometheus.collect_renewed();
    // Then it is not.
    prometheus.server.misbehave({unauthorized_answer}, MisbehavingServer::always, "Bearer old\r\n");
    const Error error = prometheus.collect_stale();
    CAPTURE(error.describe());
    CHECK(error.is(Errc::unauthorized));
    CHECK(prometheus.requests_with("Bearer old\r\n") == prometheus.server.requests().size());
    CHECK(prometheus.requests_with("X-Injected") == 0);
    // Neither is the file's text told, and its end of line is no part of the token.
    CHECK(error.describe().find("Injected") == std::string::npos);
    file.write("new\r\n");
    prometheus.collect_renewed();
    CHECK(prometheus.requests_with("Bearer new\r\n") >= 1);
}

TEST_CASE("a proxy that permits only to read gets queries by GET, and POST is not tried again") {
    const std::string status = GENERATE(as<std::string>{}, "403 Forbidden",
                                        "405 Method Not Allowed", "501 Not Implemented");
    CAPTURE(status);
    ProtectedPrometheus prometheus;
    prometheus.server.misbehave({refuse_with(status, "no")}, MisbehavingServer::always, "POST ");
    CHECK(prometheus.rate() == Catch::Approx(60));
    const std::size_t posted = prometheus.server.misbehaved();
    CHECK(posted >= 1);
    CHECK(posted <= 2 * queries_of_round);
    prometheus.collect_renewed();
    CHECK(prometheus.server.misbehaved() == posted);
}
