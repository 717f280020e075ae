// SPDX-License-Identifier: Apache-2.0
#include "faults/prometheus/client_fixture.hpp"

#include <boost/asio/co_spawn.hpp>

#include <catch2/catch_all.hpp>

#include <chrono>
#include <cstddef>
#include <exception>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test_support;
using namespace wva_metrics::test_support::prometheus_client;
using Catch::Matchers::ContainsSubstring;
using prometheus::AnswerInfo;
using prometheus::ClientConfig;
using prometheus::SeriesView;

TEST_CASE("warnings and infos of the server are passed to the caller") {
    Peers peers(answer_each_with(good));
    const QueryPtr query = peers.run();
    REQUIRE(query->result->has_value());
    const AnswerInfo& info = **query->result;
    CHECK(info.warnings == std::vector<std::string>{"w"});
    CHECK(info.infos == std::vector<std::string>{"i"});
    CHECK(info.series == 1);
}

TEST_CASE("a query that the server rejects or cannot answer is sent once") {
    struct Case {
        std::string status, body;
        Errc code;
    };
    const auto [status, body, code] = GENERATE(values<Case>(
        {{"400 Bad Request", api_error("bad_data", "parse error"), Errc::rejected},
         {"401 Unauthorized", "who are you", Errc::unauthorized},
         {"404 Not Found", "404 page not found", Errc::rejected},
         {"422 Unprocessable Entity",
          api_error("execution", "query processing would load too many samples into memory in "
                                 "query execution"),
          Errc::too_costly},
         {"422 Unprocessable Entity",
          api_error("execution", "expanding series: proxy Series(): rpc error: code = "
                                 "DeadlineExceeded desc = context deadline exceeded"),
          Errc::unavailable},
         {"503 Service Unavailable",
          api_error("timeout", "query timed out in expression evaluation"), Errc::unavailable},
         {"302 Found", "", Errc::rejected}}));
    Peers peers(
        answer_each_with(answer(status, body, "Location: http://127.0.0.1:1/login?x=secret\r\n")));
    const QueryPtr query = peers.run();
    REQUIRE(query->result->has_error());
    CHECK(query->error().is(code));
    CHECK_THAT(query->error().message, ContainsSubstring("HTTP " + status.substr(0, 3)));
    CHECK_THAT(query->error().message, !ContainsSubstring("secret"));
    CHECK(query->error().endpoint == peers.server.url());
    CHECK(peers.requests().size() == 1);
    CHECK(peers.server.connections() == 1);
}

TEST_CASE("a query is sent again if the server is in trouble, but not if the query is") {
    const auto [status, body, requests] = GENERATE(table<std::string, std::string, std::size_t>({
        {"429 Too Many Requests", "", 3},
        {"503 Service Unavailable", "<html>gateway</html>", 3},
        {"503 Service Unavailable", api_error("unavailable", "not ready"), 3},
        {"503 Service Unavailable", api_error("timeout", "query timed out in query execution"), 1},
        {"503 Service Unavailable", api_error("503", "timeout exceeded during query execution"), 1},
        {"504 Gateway Timeout",
         api_error("execution", "query processing would load too many samples into memory"), 1},
    }));
    prometheus::ClientConfig config;
    config.http.protection.retry.first_backoff = std::chrono::milliseconds(1);
    Peers peers(answer_each_with(answer(status, body)), config);
    CHECK(peers.run()->result->has_error());
    CHECK(peers.requests().size() == requests);
}

TEST_CASE("the cause of an error is found behind a long query") {
    // As VictoriaMetrics repeats a query, before the cause.
    const std::string query(20'000, 'm');
    Peers peers(answer_each_with(
        answer("422 Unprocessable Entity",
               api_error("422", R"(error when executing query=\")" + query +
                                    R"(\" for (time=1, step=300000): )" +
                                    "the number of matching timeseries exceeds 3; either narrow "
                                    "down the search"))));
    const Error error = peers.run(query)->error();
    CHECK(error.is(Errc::too_costly));
    CHECK_THAT(error.message, ContainsSubstring("HTTP 422 422: error when executing query="));
    CHECK_THAT(error.message, ContainsSubstring("raise -search.maxUniqueTimeseries"));
    CHECK(error.message.size() < 800);
}

TEST_CASE("the sink receives no series of an attempt that is repeated") {
    const std::string refusal =
        GENERATE(as<std::string>{}, "403 Forbidden", "405 Method Not Allowed");
    Peers peers(answer_in_turn({answer(refusal, one_series), good}));
    const QueryPtr query = peers.run();
    REQUIRE(query->result->has_value());
    CHECK(query->series == 1);
}

TEST_CASE("a login page with status 200 is an error that describes it") {
    Peers peers(answer_each_with(
        answer("200 OK", "<!DOCTYPE html><html><form action=/login>Sign in</form></html>")));
    const QueryPtr query = peers.run();
    CHECK(query->error().is(Errc::bad_response));
    CHECK_THAT(query->error().message, ContainsSubstring("perhaps a login page"));
    CHECK_THAT(query->error().message, ContainsSubstring("Sign in"));
}

TEST_CASE("an answer that is cut off at the end of the connection is never accepted as complete") {
    for (std::size_t length = 0; length < one_series.size(); length += 7) {
        Peers peers(answer_and_close("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" +
                                     one_series.substr(0, length)));
        const QueryPtr query = peers.run();
        INFO(length);
        REQUIRE(query->result->has_error());
        CHECK(query->error().is(Errc::bad_response));
    }
    Peers whole(answer_and_close("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + one_series));
    CHECK(whole.run()->result->has_value());
}

TEST_CASE("an answer that exceeds a bound is refused, and the message names the bound") {
    ClientConfig config;
    config.answer.max_label_value_bytes = 16;
    const std::string body =
        R"({"status":"success","data":{"resultType":"vector","result":[{"metric":{"x":"a value that is too long"},"value":[1,"2"]}]}})";
    Peers peers(answer_each_with(answer("200 OK", body)), config);
    const QueryPtr query = peers.run();
    CHECK(query->error().is(Errc::too_large));
    CHECK_THAT(query->error().message, ContainsSubstring("answer.max_label_value_bytes = 16"));
    CHECK(query->error().endpoint == peers.server.url());

    ClientConfig small;
    small.http.limits.max_body_bytes = 20;
    Peers other(answer_each_with(good), small);
    CHECK(other.run()->error().is(Errc::too_large));
}

TEST_CASE("an exception of the sink fails its query and no other") {
    Peers peers(answer_each_with(good));
    std::optional<Result<AnswerInfo>> result;
    const auto sink = [](const SeriesView&) { throw std::runtime_error("no room"); };
    boost::asio::co_spawn(peers.context, peers.client->query("up", sink, {}, far_deadline()),
                          [&](std::exception_ptr thrown, Result<AnswerInfo> answered) {
                              REQUIRE(thrown == nullptr);
                              result = std::move(answered);
                          });
    run_until(peers.context, [&] { return result.has_value(); });
    REQUIRE(result->has_error());
    CHECK(result->error().is(Errc::internal));
    CHECK_THAT(result->error().message, ContainsSubstring("no room"));
    CHECK(peers.run()->result->has_value());
}
