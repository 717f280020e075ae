// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/kubernetes/detail/api_error.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <utility>

using namespace wva_metrics;
using namespace wva_metrics::kubernetes;
using Catch::Matchers::ContainsSubstring;
using kubernetes::detail::ApiOperation;
using kubernetes::detail::ApiTarget;
using kubernetes::detail::to_error;

namespace {

ApiOperation listing(const Selection& selection = {}) {
    return {"list", ApiTarget(Resource<Pod>(), selection), "page_timeout"};
}

Error error_of(int status, std::string body = {}, const ApiOperation& operation = listing()) {
    http::Response response;
    response.status = status;
    response.body = std::move(body);
    return to_error(response, operation, "https://api:6443");
}

template <typename T>
ApiOperation watching_of(const std::string& namespace_name) {
    return {"watch", ApiTarget(Resource<T>(), Selection{namespace_name, {}}), "watch_timeout"};
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
          "cannot list pods in all namespaces: the API server answered HTTP 403: pods is "
          "forbidden: User \"system:serviceaccount:llm:wva\" cannot list resource \"pods\"; allow "
          "it by RBAC: bind the program's service account to a ClusterRole with apiGroups: [\"\"], "
          "resources: [\"pods\"], verbs: [\"list\", \"watch\"] (refused: \"list\")");
    CHECK_THAT(error_of(403, "", watching_of<Deployment>("llm")).message,
               ContainsSubstring("to a Role with apiGroups: [\"apps\"], resources: "
                                 "[\"deployments\"], verbs: [\"list\", \"watch\"] (refused: "
                                 "\"watch\")"));
}

TEST_CASE("a missing custom resource is named, with the way to install it") {
    const std::string unknown_path = "404 page not found\n";
    CHECK(error_of(404, unknown_path, watching_of<VariantAutoscalingObject>("llm")).message ==
          "cannot watch variantautoscalings.llmd.ai in namespace llm: the API server answered HTTP "
          "404: unknown path; the cluster has no custom resource variantautoscalings.llmd.ai of "
          "version v1alpha1; install its CustomResourceDefinition (it comes with the Helm chart of "
          "llm-d's workload-variant-autoscaler), or set the group and version that `kubectl get "
          "crd variantautoscalings.llmd.ai` shows");
    CHECK_THAT(error_of(404, unknown_path, watching_of<LeaderWorkerSet>("")).message,
               ContainsSubstring("install its CustomResourceDefinition, or set"));
    // The resources of Kubernetes itself are missing only on another server.
    for (const ApiOperation& operation : {watching_of<Pod>(""), watching_of<Deployment>("")})
        CHECK_THAT(error_of(404, unknown_path, operation).message,
                   ContainsSubstring("check that http.url is the URL of a Kubernetes API server"));
}

TEST_CASE("the advice of the API server about a version that is too old is not passed on") {
    const Error error = error_of(
        410,
        R"({"kind": "Status", "reason": "Expired", "message": "start a new list without..."})");
    CHECK(error.message == "cannot list pods in all namespaces: the API server answered HTTP 410: "
                           "it no longer has the state that was asked for, only a newer one; the "
                           "list must start again");
}

TEST_CASE("bounds of the HTTP client have the names of this client's configuration") {
    const ApiOperation list = listing();
    CHECK(list.with_own_names("no answer arrived before the caller's deadline") ==
          "no answer arrived within page_timeout");
    CHECK(list.with_own_names("the caller's deadline had passed before anything was sent") ==
          "page_timeout had passed before anything was sent");
    CHECK(list.with_own_names("no answer arrived within 30 s (timeouts.attempt)") ==
          "no answer arrived within 30 s (page_timeout)");
    CHECK(list.with_own_names("the answer's body exceeds 9 (limits.max_body_bytes)") ==
          "the answer's body exceeds 9 (max_page_bytes + 32 MiB)");
    CHECK(
        watching_of<Pod>("").with_own_names("nothing arrived within 2 s (StreamTimeouts::idle)") ==
        "nothing arrived within 2 s (idle_timeout)");
}

TEST_CASE("a request to wait is read from 429 and 503, and from no other answer") {
    const auto wait_of = [](int status, const std::string& text) {
        http::Response response;
        response.status = status;
        response.retry_after = text;
        return to_error(response, listing(), "").retry_after;
    };
    CHECK(wait_of(429, "30") == std::chrono::seconds(30));
    CHECK(wait_of(503, "0") == std::chrono::seconds(0));
    CHECK(wait_of(503, "99999999999999999999") == std::chrono::hours(1));
    CHECK(wait_of(500, "30") == std::nullopt);
    CHECK(wait_of(429, "Sun, 06 Nov 1994 08:49:37 GMT") == std::chrono::seconds(0));
    for (const char* const text : {"", "-1", "1.5", "soon", "3 s"})
        CHECK(wait_of(503, text) == std::nullopt);
}

TEST_CASE("a large body of an error is not parsed") {
    CHECK_THAT(error_of(500, "[" + std::string(100'000, '0') + "]").message,
               ContainsSubstring("not a Kubernetes Status, but: [000"));
}

TEST_CASE("an HTTP status becomes an error code and a remedy") {
    const auto [status, code, words] = GENERATE(table<int, Errc, std::string>({
        {301, Errc::rejected, "redirects are not followed"},
        {400, Errc::rejected, "HTTP 400"},
        {401, Errc::unauthorized, "check that the token"},
        {403, Errc::forbidden, "RBAC"},
        {404, Errc::rejected, "check that http.url"},
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
