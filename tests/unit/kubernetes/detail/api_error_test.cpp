// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/kubernetes/detail/api_error.hpp"

#include <catch2/catch_all.hpp>

#include <string>
#include <utility>

using namespace wva_metrics;
using namespace wva_metrics::kubernetes;
using Catch::Matchers::ContainsSubstring;
using kubernetes::detail::to_error;

namespace {

Error error_of(int status, std::string body = {}) {
    http::Response response;
    response.status = status;
    response.body = std::move(body);
    return to_error(response, "list pods", "https://api:6443");
}

} // namespace

TEST_CASE("an error has the API server's own message, and a remedy") {
    const Error error = error_of(
        403,
        R"({"kind": "Status", "status": "Failure", "reason": "Forbidden", "code": 403, "message": "pods is forbidden: User \"system:serviceaccount:llm:wva\" cannot list resource \"pods\""})");
    CHECK(error.is(Errc::forbidden));
    CHECK(error.http_status == 403);
    CHECK(error.endpoint == "https://api:6443");
    CHECK(error.message ==
          "cannot list pods: the API server answered HTTP 403: pods is forbidden: User "
          "\"system:serviceaccount:llm:wva\" cannot list resource \"pods\"; allow the program's "
          "service account to list and watch this resource (RBAC)");
}

TEST_CASE("an HTTP status becomes an error code and a remedy") {
    const auto [status, code, words] = GENERATE(table<int, Errc, std::string>({
        {301, Errc::rejected, "redirects are not followed"},
        {400, Errc::rejected, "HTTP 400"},
        {401, Errc::unauthorized, "check that the token"},
        {403, Errc::forbidden, "RBAC"},
        {404, Errc::rejected, "group, version and name"},
        {408, Errc::unavailable, "HTTP 408"},
        {410, Errc::rejected, "HTTP 410"},
        {422, Errc::rejected, "HTTP 422"},
        {429, Errc::unavailable, "HTTP 429"},
        {500, Errc::unavailable, "HTTP 500"},
        {503, Errc::unavailable, "HTTP 503"},
        {600, Errc::bad_response, "HTTP 600"},
    }));
    CAPTURE(status);
    const Error error = error_of(status);
    CHECK(error.is(code));
    CHECK(error.http_status == status);
    CHECK_THAT(error.message, ContainsSubstring(words));
    CHECK(is_gone(error) == (status == 410));
}

TEST_CASE("a response that is not a Status is shown in part") {
    CHECK_THAT(error_of(502, "<html>Bad\nGateway").message,
               ContainsSubstring("not a Kubernetes Status, but: <html>Bad Gateway"));
    CHECK_THAT(error_of(500, R"({"kind": "Pod"})").message, ContainsSubstring("but: {\"kind\""));
    CHECK_THAT(error_of(500).message, ContainsSubstring("no reason given"));
    CHECK(error_of(500, std::string(100'000, 'x')).message.size() < 400);
}

TEST_CASE("a long or strange message of the API server fits on one line") {
    const Error error =
        error_of(500, R"({"kind": "Status", "message": "a\nb )" + std::string(10'000, 'x') + "\"}");
    CHECK_THAT(error.message, ContainsSubstring(": a b xxx"));
    CHECK(error.message.size() < 700);
    CHECK_THAT(error_of(500, R"({"kind": "Status", "reason": "InternalError"})").message,
               ContainsSubstring("HTTP 500: InternalError"));
}
