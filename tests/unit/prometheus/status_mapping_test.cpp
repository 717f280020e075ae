// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/prometheus/status_mapping.hpp"

#include <catch2/catch_all.hpp>

#include <string>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::prometheus;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::EndsWith;

namespace {

const std::string endpoint = "http://prometheus:9090";

std::string api_error(const std::string& type, const std::string& text) {
    return R"({"status":"error","errorType":")" + type + R"(","error":")" + text + "\"}";
}

http::Response response(int status, std::string body,
                        std::string content_type = "application/json") {
    http::Response made;
    made.status = status;
    made.content_type = std::move(content_type);
    made.body = std::move(body);
    return made;
}

Error error_of(const http::Response& from) {
    Result<AnswerInfo> result = decode_response(
        from, {}, {}, [](const SeriesView&) {}, endpoint);
    REQUIRE(result.has_error());
    CHECK(result.error().endpoint == endpoint);
    CHECK(result.error().http_status == from.status);
    return result.error();
}

} // namespace

TEST_CASE("every status and error type of the API is mapped to an error code") {
    struct Case {
        int status;
        std::string body;
        Errc code;
    };
    const std::string nginx = "<html><head><title>Oops</title></head></html>";
    for (const auto& [status, body, code] : std::vector<Case>{
             {400, api_error("bad_data", "1:5: parse error: unexpected end of input"),
              Errc::rejected},
             {400, "Client sent an HTTP request to an HTTPS server.", Errc::rejected},
             {401, "Unauthorized", Errc::unauthorized},
             {401, api_error("bad_data", "no org id"), Errc::unauthorized},
             {403, "Forbidden (user=system:serviceaccount:wva)", Errc::forbidden},
             {404, "404 page not found", Errc::rejected},
             {404, api_error("not_found", "nothing here"), Errc::rejected},
             {405, "Method Not Allowed", Errc::rejected},
             {406, api_error("not_acceptable", "x"), Errc::rejected},
             {408, "", Errc::unavailable},
             {413, nginx, Errc::too_costly},
             {414, nginx, Errc::too_costly},
             {422,
              api_error("execution",
                        "multiple matches for labels: many-to-one matching must be explicit"),
              Errc::rejected},
             {425, "", Errc::unavailable},
             {429, api_error("too_many_requests", "too many outstanding requests"),
              Errc::unavailable},
             {429, "slow down", Errc::unavailable},
             {499, api_error("canceled", "context canceled"), Errc::unavailable},
             {500, api_error("internal", "x"), Errc::unavailable},
             {500, nginx, Errc::unavailable},
             {501, "no", Errc::rejected},
             {502, nginx, Errc::unavailable},
             {503, api_error("unavailable", "shutting down"), Errc::unavailable},
             {503, api_error("timeout", "query timed out in expression evaluation"),
              Errc::too_costly},
             {503, "upstream connect error", Errc::unavailable},
             {504, api_error("timeout", "x"), Errc::too_costly},
             {504, nginx, Errc::unavailable},
             {200, api_error("bad_data", "x"), Errc::rejected},
             {200, api_error("execution", "x"), Errc::rejected},
             {200, api_error("unavailable", "x"), Errc::unavailable},
             {200, api_error("timeout", "x"), Errc::too_costly},
         }) {
        INFO(status << " " << body);
        CHECK(error_of(response(status, body)).code == code);
        CHECK_THAT(error_of(response(status, body)).message,
                   ContainsSubstring("HTTP " + std::to_string(status)));
    }
}

TEST_CASE("a limit of the server is recognized by its text, so that smaller queries are tried") {
    struct Case {
        int status;
        std::string text;
        bool is_limit;
    };
    for (const auto& [status, text, is_limit] : std::vector<Case>{
             // Prometheus
             {422, "query processing would load too many samples into memory in query execution",
              true},
             {422, "query timed out in expression evaluation", true},
             {400, "exceeded maximum resolution of 11,000 points per timeseries", true},
             // Thanos
             {422,
              "expanding series: proxy Series(): rpc error: code = ResourceExhausted desc = "
              "exceeded series limit: "
              "limit 1000 violated (got 2000)",
              true},
             {500, "rpc error: code = Aborted desc = fetch series: exceeded chunks limit", true},
             // Mimir and Cortex
             {422,
              "the query hit the max number of series limit (limit: 100000 series) "
              "(err-mimir-max-series-per-query)",
              true},
             {422, "the query hit the aggregated chunks size limit (limit: 5 bytes)", true},
             {400,
              "the raw query size in bytes exceeds the limit (query size: 200, limit: 100) "
              "(err-mimir-max-query-expression-size-bytes)",
              true},
             // VictoriaMetrics
             {422,
              "too long query; got 20000 bytes; mustn't exceed `-search.maxQueryLen=16384` bytes",
              true},
             {422, "cannot select more than -search.maxSamplesPerQuery=1000000000 samples", true},
             {422, "the number of matching timeseries exceeds 30000", true},
             // No limits
             {422, "found duplicate series for the match group", false},
             {422, "vector cannot contain metrics with the same labelset", false},
             {400,
              "invalid parameter query: 1:9: parse error: unexpected identifier exceeds the limit",
              false},
             {400, "unknown position: too many", false},
             {500, "too many open files", false},
         }) {
        INFO(status << " " << text);
        const Error error =
            error_of(response(status, api_error(status == 422 ? "execution" : "bad_data", text)));
        CHECK(error.is(Errc::too_costly) == is_limit);
        if (is_limit)
            CHECK_THAT(error.message, ContainsSubstring("query fewer models at once"));
    }
}

TEST_CASE("an error has the endpoint, the server's text and a remedy, on one line without control "
          "characters") {
    const Error bad = error_of(response(400, api_error("bad_data", "parse\\nerror")));
    CHECK(bad.message == "Prometheus answered HTTP 400 bad_data: parse error; the same query "
                         "will be rejected again");
    CHECK_THAT(bad.describe(), EndsWith("(http://prometheus:9090)"));

    CHECK_THAT(error_of(response(401, "x")).message, ContainsSubstring("check the credentials"));
    CHECK_THAT(error_of(response(404, "404 page not found\n", "text/plain")).message,
               ContainsSubstring("there is no query API at this URL; check the URL and its path "
                                 "(it begins: 404 page not "
                                 "found )"));

    http::Response busy = response(429, "");
    busy.retry_after = "30\r\n";
    CHECK_THAT(error_of(busy).message, ContainsSubstring("(Retry-After: 30  )"));

    const Error lengthy = error_of(response(502, std::string(10'000, 'x') + "\x1b[2J"));
    CHECK(lengthy.message.size() < 300);
    CHECK_THAT(error_of(response(502, "bad\x1b[2J\xff")).message, ContainsSubstring("bad [2J?"));
}

TEST_CASE("a redirect is not followed but reported, without its secret parts") {
    struct Case {
        std::string location, shown;
    };
    for (const auto& [location, shown] : std::vector<Case>{
             {"https://sso.example/login?token=secret", "to https://sso.example/login,"},
             {"https://user:secret@host/p#secret", "to https://host/p,"},
             {"//user:secret@host", "to //host,"},
             {"/graph", "to /graph,"},
             {"https://host/a@b", "to https://host/a@b,"}}) {
        http::Response redirect = response(302, "<a href=\"/graph\">Found</a>.", "text/html");
        redirect.location = location;
        const Error error = error_of(redirect);
        INFO(error.message);
        CHECK(error.is(Errc::rejected));
        CHECK_THAT(error.message, ContainsSubstring(shown));
        CHECK_THAT(error.message, ContainsSubstring("redirects are not followed"));
        CHECK_THAT(error.message, !ContainsSubstring("secret"));
    }
    CHECK(error_of(response(304, "")).is(Errc::rejected));
}

TEST_CASE(
    "the error for a body that is not an answer quotes its beginning and says what it may be") {
    const Error login =
        error_of(response(200, "<!DOCTYPE html>\n<html><body>Sign in</body></html>", "text/html"));
    CHECK(login.is(Errc::bad_response));
    CHECK_THAT(login.message, ContainsSubstring("it is HTML, perhaps a login page"));
    CHECK_THAT(login.message, ContainsSubstring("<!DOCTYPE html> <html><body>Sign in"));

    CHECK_THAT(error_of(response(204, "")).message, ContainsSubstring("it is empty"));
    CHECK_THAT(error_of(response(200, R"({"status":"success","data":{"resul)")).message,
               ContainsSubstring("cut off after 34 bytes"));
    CHECK(error_of(response(200, std::string(100'000, 'x'))).message.size() < 500);
    CHECK(error_of(response(101, "")).is(Errc::bad_response));
    CHECK(error_of(response(600, "")).is(Errc::bad_response));

    AnswerLimits limits;
    limits.max_series = 0;
    const Result<AnswerInfo> large = decode_response(
        response(200, R"({"status":"success","data":{"resultType":"vector","result":[{}]}})"), {},
        limits, [](const SeriesView&) {}, endpoint);
    REQUIRE(large.has_error());
    CHECK(large.error().is(Errc::too_large));
    CHECK(large.error().endpoint == endpoint);
    CHECK_THAT(large.error().message, ContainsSubstring("answer.max_series = 0"));
}

TEST_CASE("an answer is decoded whatever its content type is") {
    std::vector<double> values;
    const Result<AnswerInfo> result = decode_response(
        response(200, R"({"status":"success","data":{"resultType":"scalar","result":[1,"2"]}})",
                 "text/plain"),
        {}, {}, [&](const SeriesView& series) { values.push_back(series.value); }, endpoint);
    REQUIRE(result.has_value());
    CHECK(values == std::vector<double>{2});
}
