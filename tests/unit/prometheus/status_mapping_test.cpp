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
        from, {}, [](const SeriesView&) {}, endpoint);
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
              Errc::unavailable},
             {503, "upstream connect error", Errc::unavailable},
             {504, api_error("timeout", "x"), Errc::unavailable},
             {504, nginx, Errc::unavailable},
             {200, api_error("bad_data", "x"), Errc::rejected},
             {200, api_error("execution", "x"), Errc::rejected},
             {200, api_error("unavailable", "x"), Errc::unavailable},
             {200, api_error("timeout", "x"), Errc::unavailable},
         }) {
        INFO(status << " " << body);
        CHECK(error_of(response(status, body)).code == code);
        CHECK_THAT(error_of(response(status, body)).message,
                   ContainsSubstring("HTTP " + std::to_string(status)));
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

TEST_CASE("an error in the body of an answer with a 2xx status is told with that status") {
    for (const int status : {200, 203, 205, 206}) {
        const Error error = error_of(response(status, api_error("bad_data", "parse error")));
        CHECK(error.is(Errc::rejected));
        CHECK(error.http_status == status);
        CHECK_THAT(error.message, ContainsSubstring("answered HTTP " + std::to_string(status) +
                                                    " bad_data: parse error"));
    }
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
    CHECK_THAT(login.message, EndsWith(std::string(http::web_page_advice)));

    CHECK_THAT(error_of(response(204, "")).message, ContainsSubstring("it is empty"));
    CHECK_THAT(error_of(response(200, R"({"status":"success","data":{"resul)")).message,
               ContainsSubstring("cut off after 34 bytes"));
    CHECK(error_of(response(200, std::string(100'000, 'x'))).message.size() < 500);
    CHECK(error_of(response(101, "")).is(Errc::bad_response));
    CHECK(error_of(response(600, "")).is(Errc::bad_response));

    AnswerLimits limits;
    limits.max_series = 0;
    const Result<AnswerInfo> large = decode_response(
        response(200, R"({"status":"success","data":{"resultType":"vector","result":[{}]}})"),
        limits, [](const SeriesView&) {}, endpoint);
    REQUIRE(large.has_error());
    CHECK(large.error().is(Errc::too_large));
    CHECK(large.error().endpoint == endpoint);
    CHECK_THAT(large.error().message, ContainsSubstring("answer.max_series = 0"));
}

TEST_CASE("an answer is decoded whatever its content type is") {
    int series = 0;
    const Result<AnswerInfo> result = decode_response(
        response(200, R"({"status":"success","data":{"resultType":"scalar","result":[1,"2"]}})",
                 "text/plain"),
        {}, [&](const SeriesView&) { ++series; }, endpoint);
    REQUIRE(result.has_value());
    CHECK(series == 1);
}
