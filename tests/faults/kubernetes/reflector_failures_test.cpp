// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/kubernetes/client_config.hpp"

#include "support/cluster.hpp"
#include "support/followed_pods.hpp"
#include "support/http_calls.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <string>
#include <vector>

namespace asio = boost::asio;
using namespace wva_metrics;
using namespace wva_metrics::test_support;
using kubernetes::ClientConfig;

TEST_CASE("if the API server no longer has the version, the resource is listed again") {
    asio::io_context context;
    Cluster cluster(context);
    const std::string gone = status_json(410, "Expired", "too old resource version");
    cluster.server.answer_list("pods", object_list({pod_json("a", "1")}, "10", "more"));
    SECTION("as the reply to a page of a list") {
        cluster.server.answer_list("pods", gone, 410);
    }
    SECTION("as the reply to a watch") {
        cluster.server.answer_list("pods", object_list({pod_json("b", "1")}, "10"));
        cluster.server.reject_watch("pods", gone, 410);
    }
    SECTION("as an event of a watch") {
        cluster.server.answer_list("pods", object_list({pod_json("b", "1")}, "10"));
        cluster.server.answer_watch("pods")->send(watch_line("ERROR", gone));
    }
    cluster.server.answer_list("pods", object_list({pod_json("z", "30")}, "31"));
    const auto last = cluster.server.answer_watch("pods");
    const FollowedPods following(context, cluster.config());
    run_until(context, [&] { return last->is_open() && following.received.names() == "z"; });
    CHECK_THAT(cluster.server.targets("pods", true).back(),
               Catch::Matchers::ContainsSubstring("resourceVersion=31&"));
    CHECK(following.reflector.status().restarts == 1);
    CHECK(following.reflector.status().synced);
}

TEST_CASE("a rotated token is read again when the old one is rejected") {
    asio::io_context context;
    Cluster cluster(context);
    cluster.server.answer_list("pods", object_list({pod_json("a", "1")}, "10"));
    const FollowedPods following(context, cluster.config());
    run_until(context, [&] { return cluster.server.count("pods", true) == 1; });
    cluster.write_token("token-2");
    cluster.server.reject_watch("pods", status_json(401, "Unauthorized", "expired"), 401);
    const auto stream = cluster.server.answer_watch("pods");
    run_until(context, [&] { return stream->is_open(); });
    CHECK(cluster.server.requests().back().authorization == "Bearer token-2");
    CHECK(following.received.problems.empty());
    CHECK(following.received.names() == "a");
}

TEST_CASE("a rejection is reported once, with the API server's message and a remedy") {
    asio::io_context context;
    Cluster cluster(context);
    const std::string refusal =
        status_json(403, "Forbidden", "pods is forbidden: User x cannot list resource pods");
    for (int i = 0; i < 3; ++i)
        cluster.server.answer_list("pods", refusal, 403);
    cluster.server.answer_list("pods", object_list({pod_json("a", "1")}, "10"));
    cluster.server.answer_watch("pods");
    const FollowedPods following(context, cluster.config());
    run_until(context, [&] { return following.received.names() == "a"; });
    REQUIRE(following.received.problems.size() == 1);
    const std::string& problem = following.received.problems.front();
    CHECK_THAT(problem, Catch::Matchers::StartsWith("forbidden: "));
    CHECK_THAT(problem, Catch::Matchers::ContainsSubstring("User x cannot list resource pods"));
    CHECK_THAT(problem, Catch::Matchers::ContainsSubstring("RBAC"));
    CHECK_THAT(problem, Catch::Matchers::ContainsSubstring(cluster.server.url()));
    CHECK_THAT(problem, !Catch::Matchers::ContainsSubstring("token-1"));
}

TEST_CASE("an unreachable API server is reported with its address and the request") {
    asio::io_context context;
    // Bound but not listening: no other program gets the port, and connections are refused.
    const asio::ip::tcp::endpoint loopback(asio::ip::address_v4::loopback(), 0);
    asio::ip::tcp::acceptor closed(context, loopback.protocol());
    closed.bind(loopback);
    ClientConfig config;
    config.http.url = "http://127.0.0.1:" + std::to_string(closed.local_endpoint().port());
    const FollowedPods following(context, config);
    run_until(context, [&] { return !following.received.problems.empty(); });
    CHECK(following.received.problems ==
          std::vector{"unreachable: cannot list pods in namespace llm: no connection was "
                      "established: Connection refused (" +
                      config.http.url + ")"});
}

TEST_CASE("a header that is too large is one request and one problem, which says what to do") {
    asio::io_context context;
    Cluster cluster(context);
    const std::string page = object_list({pod_json("a", "1")}, "10");
    cluster.server.answer_list("pods", page, 200, "X: " + std::string(20'000, 'x') + "\r\n");
    cluster.server.answer_list("pods", page);
    cluster.server.answer_watch("pods");
    const FollowedPods following(context, cluster.config());
    run_until(context, [&] { return following.received.names() == "a"; });
    CHECK(cluster.server.count("pods", false) == 2);
    REQUIRE(following.received.problems.size() == 1);
    CHECK_THAT(following.received.problems.front(),
               Catch::Matchers::StartsWith("too_large: ") &&
                   Catch::Matchers::ContainsSubstring("raise http.limits.max_header_bytes"));
}

TEST_CASE("a login page in place of a list is called so, however large it is") {
    asio::io_context context;
    Cluster cluster(context);
    const std::size_t size = GENERATE(as<std::size_t>(), 10, 3'000'000);
    cluster.server.answer_list("pods", "<!DOCTYPE html><form>Sign in" + std::string(size, ' '),
                               200);
    cluster.server.answer_list("pods", object_list({pod_json("a", "1")}, "10"));
    cluster.server.answer_watch("pods");
    const FollowedPods following(context, cluster.config());
    run_until(context, [&] { return following.received.names() == "a"; });
    CHECK(cluster.server.count("pods", false) == 2);
    REQUIRE(following.received.problems.size() == 1);
    CHECK_THAT(following.received.problems.front(),
               Catch::Matchers::StartsWith("bad_response: ") &&
                   Catch::Matchers::ContainsSubstring(
                       "it is HTML, perhaps a login page or a proxy's, and begins: <!DOCTYPE") &&
                   Catch::Matchers::ContainsSubstring("behind the login"));
}

TEST_CASE("an API server that asks for a pause by Retry-After is not asked during it") {
    asio::io_context context;
    Cluster cluster(context);
    const std::string busy = status_json(429, "TooManyRequests", "the server is overloaded");
    cluster.server.answer_list("pods", busy, 429, "Retry-After: 30\r\n");
    cluster.server.answer_list("pods", object_list({pod_json("a", "1")}, "10"));
    ClientConfig config = cluster.config();
    config.initial_backoff = config.max_backoff = std::chrono::milliseconds(1);
    const FollowedPods following(context, config);
    run_until(context, [&] { return following.received.problems.size() >= 2; });
    CHECK_THAT(following.received.problems[0], Catch::Matchers::ContainsSubstring("overloaded"));
    CHECK_THAT(following.received.problems[1],
               Catch::Matchers::ContainsSubstring("the server has asked for a pause (HTTP 429)"));
    CHECK(cluster.server.count("pods", false) == 1);
}

TEST_CASE("the known objects stay while the API server fails") {
    asio::io_context context;
    Cluster cluster(context);
    cluster.server.answer_list("pods", object_list({pod_json("a", "1")}, "10"));
    for (int i = 0; i < 3; ++i)
        cluster.server.reject_watch("pods", "bad gateway", 502);
    cluster.server.answer_list("pods", "{", 200);
    const FollowedPods following(context, cluster.config());
    run_until(context, [&] { return following.received.problems.size() == 2; });
    CHECK(following.received.names() == "a");
    CHECK(following.reflector.status().synced);
    REQUIRE(following.reflector.status().last_error);
    CHECK_THAT(following.received.problems[0], Catch::Matchers::ContainsSubstring("HTTP 502"));
    CHECK_THAT(following.received.problems[1], Catch::Matchers::StartsWith("bad_response"));
}

TEST_CASE("objects without optional fields are delivered, and unreadable ones are omitted") {
    asio::io_context context;
    Cluster cluster(context);
    cluster.server.answer_list(
        "pods", object_list({R"({"metadata":{"name":"bare"}})", R"("no object")"}, "10"));
    const auto stream = cluster.server.answer_watch("pods");
    stream->send(watch_line("ADDED", R"({"spec":{}})"));
    stream->send(watch_line("ADDED", pod_json("b", "12")));
    const FollowedPods following(context, cluster.config());
    run_until(context, [&] { return following.received.names() == "b bare"; });
    CHECK_FALSE(following.received.pods.at("bare").ready);
    CHECK(following.reflector.status().unreadable == 2);
    CHECK(following.received.problems.size() == 2);
}

TEST_CASE(
    "an endless event is rejected with the name of the limit, and the resource is listed again") {
    asio::io_context context;
    Cluster cluster(context);
    cluster.server.answer_list("pods", object_list({pod_json("a", "1")}, "10"));
    const auto stream = cluster.server.answer_watch("pods");
    for (int i = 0; i < 100; ++i)
        stream->send(std::string(100, 'x'));
    cluster.server.answer_list("pods", object_list({pod_json("b", "2")}, "20"));
    ClientConfig config = cluster.config();
    config.max_object_bytes = 5000;
    const FollowedPods following(context, config);
    run_until(context, [&] { return following.received.names() == "b"; });
    REQUIRE(following.received.problems.size() == 1);
    CHECK_THAT(following.received.problems.front(),
               Catch::Matchers::ContainsSubstring("max_object_bytes"));
}
