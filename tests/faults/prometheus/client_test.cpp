// SPDX-License-Identifier: Apache-2.0
#include "faults/prometheus/client_fixture.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

using namespace wva_metrics;
using namespace wva_metrics::test_support;
using namespace wva_metrics::test_support::prometheus_client;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::EndsWith;
using Catch::Matchers::StartsWith;
using prometheus::ClientConfig;

TEST_CASE("a query is posted as a form, with its timeout and the configured parameters") {
    ClientConfig config;
    config.http.url = "/prefix";
    config.http.timeouts.attempt = 1500ms;
    config.query_parameters = {{"dedup", "true"}};
    Peers peers(answer_each_with(good), config);
    const QueryPtr query = peers.run("sum by (pod) (up{a=~\"b|c\"}) + 1");
    REQUIRE(query->result->has_value());
    CHECK(query->series == 1);
    REQUIRE(peers.requests().size() == 1);
    CHECK_THAT(peers.requests()[0], StartsWith("POST /prefix/api/v1/query HTTP/1.1\r\n"));
    CHECK_THAT(peers.requests()[0],
               ContainsSubstring("Content-Type: application/x-www-form-urlencoded\r\n"));
    CHECK(peers.requests()[0].ends_with(
        "\r\n\r\nquery=sum+by+%28pod%29+%28up%7Ba%3D~%22b%7Cc%22%7D%29+%2B+1"
        "&timeout=1500ms&dedup=true"));
    CHECK(peers.client->endpoint() == peers.server.url());
}

TEST_CASE("the evaluation time is sent in seconds with three decimals") {
    using prometheus::QueryOptions;
    using samples::ServerTime;
    for (const auto& [time, sent] : std::initializer_list<std::pair<std::int64_t, std::string>>{
             {1'700'000'000'123, "1700000000.123"},
             {1'700'000'000'000, "1700000000.000"},
             {7, "0.007"},
             {0, "0.000"},
             {-1, "-0.001"},
             {-1'050, "-1.050"},
             {INT64_MIN, "-9223372036854775.808"}}) {
        Peers peers(answer_in_turn({answer("405 Method Not Allowed"), good}));
        peers.run("up", far_deadline(), QueryOptions{ServerTime(std::chrono::milliseconds(time))});
        REQUIRE(peers.requests().size() == 2);
        CHECK_THAT(peers.requests()[0], EndsWith("\r\n\r\nquery=up&time=" + sent + "&timeout=5s"));
        CHECK_THAT(peers.requests()[1],
                   StartsWith("GET /api/v1/query?query=up&time=" + sent + "&"));
    }
}

TEST_CASE("if POST is refused the query is sent by GET, and so are all later ones") {
    const std::string refusal =
        GENERATE(as<std::string>{}, "403 Forbidden", "405 Method Not Allowed", "501 No");
    Peers peers(answer_in_turn({answer(refusal), good}));
    for (int i = 0; i < 3; ++i) {
        const QueryPtr query = peers.run("up + 1");
        REQUIRE(query->result->has_value());
        CHECK(query->series == 1);
    }
    REQUIRE(peers.requests().size() == 4);
    CHECK_THAT(peers.requests()[0], StartsWith("POST "));
    for (std::size_t i = 1; i < 4; ++i)
        CHECK_THAT(peers.requests()[i],
                   StartsWith("GET /api/v1/query?query=up+%2B+1&timeout=5s HTTP/1.1\r\n"));
}

TEST_CASE("GET is remembered only after it has succeeded, and forgotten when it is refused") {
    const std::string refused = answer("405 Method Not Allowed");
    Peers peers(answer_in_turn(
        {refused, answer("400 Bad Request", api_error("bad_data", "parse error")), // not remembered
         refused, good,                                                            // remembered
         refused,                                                                  // forgotten
         good}));
    CHECK(peers.run()->error().is(Errc::rejected));
    CHECK(peers.run()->result->has_value());
    CHECK(peers.run()->error().is(Errc::rejected));
    CHECK(peers.run()->result->has_value());
    std::string methods;
    for (const std::string& request : peers.requests())
        methods += request[0];
    CHECK(methods == "PGPGGP");
}

TEST_CASE("a query that is forbidden by POST and by GET is forbidden") {
    Peers peers(answer_each_with(answer("403 Forbidden", "no such right")));
    const QueryPtr query = peers.run();
    CHECK(query->error().is(Errc::forbidden));
    CHECK(query->error().http_status == 403);
    CHECK(query->error().endpoint == peers.server.url());
    CHECK_THAT(query->error().message, ContainsSubstring("no such right"));
    CHECK(peers.requests().size() == 2);

    Peers post_only(answer_in_turn({answer("403 Forbidden"), answer("405 Method Not Allowed")}));
    CHECK(post_only.run()->error().is(Errc::forbidden));
}

TEST_CASE("a query that is too long for GET is not sent by it, so that the caller can split it") {
    ClientConfig config;
    config.max_get_bytes = 1024;
    Peers peers(
        answer_in_turn({answer("405 Method Not Allowed"), answer("405 Method Not Allowed"), good}),
        config);
    const std::string fitting(1024 - std::string_view("/api/v1/query?query=&timeout=5s").size(),
                              'x');

    const QueryPtr refused = peers.run(fitting + "x");
    CHECK(refused->error().is(Errc::too_costly));
    CHECK_THAT(refused->error().message,
               ContainsSubstring("1025 bytes exceed max_get_bytes = 1024"));
    CHECK(peers.requests().size() == 1);

    CHECK(peers.run(fitting)->result->has_value());
    CHECK(peers.requests().size() == 3);
    // GET is remembered by now, so nothing is sent at all.
    CHECK(peers.run(fitting + "x")->error().is(Errc::too_costly));
    CHECK(peers.requests().size() == 3);
}
