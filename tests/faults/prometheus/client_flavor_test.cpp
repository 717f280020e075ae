// SPDX-License-Identifier: Apache-2.0
#include "faults/prometheus/client_fixture.hpp"
#include "support/protections.hpp"

#include <boost/asio/co_spawn.hpp>

#include <catch2/catch_all.hpp>

#include <exception>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test_support;
using namespace wva_metrics::test_support::prometheus_client;
using Catch::Matchers::StartsWith;
using prometheus::Flavor;
using prometheus::ServerMake;

namespace {

Result<ServerMake> flavor_of(Peers& peers) {
    std::optional<Result<ServerMake>> result;
    boost::asio::co_spawn(peers.context, peers.client->flavor(far_deadline()),
                          [&](std::exception_ptr thrown, Result<ServerMake> learnt) {
                              REQUIRE(thrown == nullptr);
                              result = std::move(learnt);
                          });
    run_until(peers.context, [&] { return result.has_value(); });
    return *result;
}

std::string build_info(const std::string& data) {
    return answer("200 OK", R"({"status":"success","data":{)" + data + "}}");
}

/// The answers of VictoriaMetrics and of Prometheus to the query `now()`.
const std::string scalar_answer = answer(
    "200 OK",
    R"({"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1795938648,"1795938648.0002966"]}]}})");
const std::string no_function_answer =
    answer("400 Bad Request",
           api_error("bad_data", R"(invalid parameter \"query\": 1:1: parse error: unknown )"
                                 R"(function with name \"now\")"));

} // namespace

TEST_CASE("the make of a server is learnt from its build information below the URL's path") {
    prometheus::ClientConfig config;
    config.http.url = "/prometheus";
    Peers peers(answer_each_with(build_info(R"("application":"Grafana Mimir","version":"2.15.0")")),
                config);
    CHECK(flavor_of(peers).value() == ServerMake{Flavor::mimir, "2.15.0"});
    REQUIRE(peers.requests().size() == 1);
    CHECK_THAT(peers.requests()[0], StartsWith("GET /prometheus/api/v1/status/buildinfo HTTP/1.1"));
}

TEST_CASE("a server that does not tell its make is tried with a function of VictoriaMetrics") {
    struct Case {
        std::string info, evaluated;
        Flavor flavor;
    };
    const std::string page = answer("200 OK", "<html>Sign in</html>");
    for (const auto& [info, evaluated, flavor] : std::vector<Case>{
             {build_info(""), scalar_answer, Flavor::victoria_metrics},
             {build_info(R"("version":"2.24.0")"), scalar_answer, Flavor::victoria_metrics},
             {build_info(R"("version":"2.24.0")"), no_function_answer, Flavor::unknown},
             {answer("404 Not Found", "404 page not found"), no_function_answer, Flavor::unknown},
             {answer("404 Not Found", ""), scalar_answer, Flavor::victoria_metrics},
             {answer("403 Forbidden", ""), scalar_answer, Flavor::victoria_metrics},
             {answer("400 Bad Request", "unsupported path requested"), no_function_answer,
              Flavor::unknown},
             {page, page, Flavor::unknown},
             {answer("302 Found", ""), answer("302 Found", ""), Flavor::unknown},
         }) {
        INFO(info);
        Peers peers(answer_in_turn({info, evaluated}));
        CHECK(flavor_of(peers).value().flavor == flavor);
        REQUIRE(peers.requests().size() == 2);
        CHECK_THAT(peers.requests()[1], StartsWith("POST /api/v1/query HTTP/1.1"));
        CHECK(peers.requests()[1].ends_with("\r\n\r\nquery=now%28%29&timeout=5s"));
    }
}

TEST_CASE("a server in trouble is no server of an unknown make") {
    struct Case {
        std::string status;
        Errc code;
    };
    for (const auto& [status, code] :
         std::vector<Case>{{"401 Unauthorized", Errc::unauthorized},
                           {"429 Too Many Requests", Errc::unavailable},
                           {"503 Service Unavailable", Errc::unavailable}}) {
        INFO(status);
        prometheus::ClientConfig config;
        config.http.protection = single_attempt;
        Peers at_once(answer_each_with(answer(status)), config);
        CHECK(flavor_of(at_once).error().is(code));
        CHECK(at_once.requests().size() == 1);

        Peers later(answer_in_turn({answer("404 Not Found"), answer(status)}), config);
        CHECK(flavor_of(later).error().is(code));
        CHECK(later.requests().size() == 2);
    }
}
