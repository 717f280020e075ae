// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/kubernetes/reflector.hpp"
#include "wva_metrics/kubernetes/tls_in_cluster.hpp"

#include "support/cluster.hpp"
#include "support/http_calls.hpp"
#include "support/temporary_directory.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace asio = boost::asio;
using namespace wva_metrics;
using namespace wva_metrics::test_support;
using namespace std::chrono_literals;
using kubernetes::ClientConfig;
using kubernetes::Pod;
using kubernetes::Reflector;
using kubernetes::ReflectorHandler;
using kubernetes::Selection;

namespace {

/// What a reflector has told, as the names of the pods that are there.
struct Told {
    std::map<std::string, Pod> pods;
    std::size_t lists = 0;
    std::vector<std::string> problems;

    ReflectorHandler<Pod> handler() {
        ReflectorHandler<Pod> handler;
        handler.on_listed = [this](std::vector<Pod> listed) {
            pods.clear();
            ++lists;
            for (Pod& pod : listed)
                pods.insert_or_assign(pod.metadata.name, std::move(pod));
        };
        handler.on_upserted = [this](Pod pod) {
            pods.insert_or_assign(pod.metadata.name, std::move(pod));
        };
        handler.on_deleted = [this](const Pod& pod) { pods.erase(pod.metadata.name); };
        handler.on_problem = [this](const Error& error) { problems.push_back(error.describe()); };
        return handler;
    }

    std::string names() const {
        std::string all;
        for (const auto& [name, pod] : pods)
            all += (all.empty() ? "" : " ") + name;
        return all;
    }
};

/// A reflector of the pods in one namespace, and what it tells.
struct Following {
    Following(asio::io_context& context, const ClientConfig& config)
        : reflector(kubernetes::Client(context.get_executor(), config), Selection{"llm", {}},
                    told.handler()) {
        reflector.start();
    }
    Told told;
    Reflector<Pod> reflector;
};

} // namespace

TEST_CASE("a long list comes in pages and is handed over whole") {
    asio::io_context context;
    Cluster cluster(context);
    cluster.server.answer_list(
        "pods", object_list({pod_json("a", "1"), pod_json("b", "2")}, "10", "next/1"));
    cluster.server.answer_list("pods", object_list({pod_json("c", "3")}, "11"));
    cluster.server.answer_watch("pods");
    ClientConfig config = cluster.config();
    config.page_size = 2;
    const Following following(context, config);
    run_until(context, [&] { return cluster.server.count("pods", true) == 1; });

    CHECK(following.told.names() == "a b c");
    CHECK(following.told.lists == 1);
    CHECK(following.told.pods.at("a").ready);
    CHECK(following.reflector.status().synced);
    CHECK(cluster.server.targets("pods", false) ==
          std::vector<std::string>{"/api/v1/namespaces/llm/pods?limit=2",
                                   "/api/v1/namespaces/llm/pods?limit=2&continue=next%2F1"});
    CHECK_THAT(cluster.server.targets("pods", true).front(),
               Catch::Matchers::ContainsSubstring("resourceVersion=10&"));
    CHECK(cluster.server.requests().front().authorization == "Bearer token-1");
}

TEST_CASE("a reflector counts as synced when its handler has been told, and not before") {
    asio::io_context context;
    Cluster cluster(context);
    cluster.server.answer_list("pods", object_list({pod_json("a", "1")}, "10"));
    std::optional<kubernetes::ReflectorStatus> meanwhile;
    std::optional<Reflector<Pod>> reflector;
    ReflectorHandler<Pod> handler;
    handler.on_listed = [&](const std::vector<Pod>&) { meanwhile = reflector->status(); };
    reflector.emplace(kubernetes::Client(context.get_executor(), cluster.config()),
                      Selection{"llm", {}}, handler);
    CHECK_FALSE(reflector->status().listing);
    reflector->start();
    run_until(context, [&] { return cluster.server.count("pods", true) == 1; });
    REQUIRE(meanwhile);
    CHECK_FALSE(meanwhile->synced);
    CHECK(meanwhile->listing);
    CHECK(reflector->status().synced);
    CHECK_FALSE(reflector->status().listing);
    reflector->stop();
}

TEST_CASE("what a watch tells is told on, wherever its bytes are split") {
    asio::io_context context;
    Cluster cluster(context);
    cluster.server.answer_list("pods", object_list({pod_json("a", "1"), pod_json("b", "2")}, "10"));
    const auto stream = cluster.server.answer_watch("pods");
    const Following following(context, cluster.config());
    const std::string events = watch_line("ADDED", pod_json("c", "11")) +
                               watch_line("MODIFIED", pod_json("a", "12", false)) +
                               watch_line("DELETED", pod_json("b", "13"));
    for (const char byte : events)
        stream->say(std::string(1, byte));
    run_until(context, [&] { return following.told.names() == "a c"; });
    CHECK_FALSE(following.told.pods.at("a").ready);
    CHECK(following.told.lists == 1);
    CHECK(following.told.problems.empty());
}

TEST_CASE("a watch that ends or breaks off goes on where the last event or bookmark was") {
    asio::io_context context;
    Cluster cluster(context);
    cluster.server.answer_list("pods", object_list({pod_json("a", "1")}, "10"));
    const auto first = cluster.server.answer_watch("pods");
    const auto second = cluster.server.answer_watch("pods");
    const auto third = cluster.server.answer_watch("pods");
    const Following following(context, cluster.config());

    first->say(watch_line("ADDED", pod_json("b", "17")));
    first->end();
    run_until(context, [&] { return second->is_open(); });
    second->say(bookmark_line("25"));
    second->cut();
    run_until(context, [&] { return third->is_open(); });

    const std::vector<std::string> watches = cluster.server.targets("pods", true);
    REQUIRE(watches.size() == 3);
    CHECK_THAT(watches[1], Catch::Matchers::ContainsSubstring("resourceVersion=17&"));
    CHECK_THAT(watches[2], Catch::Matchers::ContainsSubstring("resourceVersion=25&"));
    CHECK_THAT(watches[2], Catch::Matchers::ContainsSubstring("allowWatchBookmarks=true"));
    CHECK(following.told.names() == "a b");
    CHECK(following.told.lists == 1);
    // That watches end is nothing to complain of.
    CHECK(following.told.problems.empty());
}

TEST_CASE("a place that the API server has forgotten is listed anew, however it says so") {
    asio::io_context context;
    Cluster cluster(context);
    const std::string gone = api_refusal(410, "Expired", "too old resource version");
    cluster.server.answer_list("pods", object_list({pod_json("a", "1")}, "10", "more"));
    SECTION("for the next page of a list") {
        cluster.server.answer_list("pods", gone, 410);
    }
    SECTION("for a watch") {
        cluster.server.answer_list("pods", object_list({pod_json("b", "1")}, "10"));
        cluster.server.refuse_watch("pods", gone, 410);
    }
    SECTION("in a watch") {
        cluster.server.answer_list("pods", object_list({pod_json("b", "1")}, "10"));
        cluster.server.answer_watch("pods")->say(watch_line("ERROR", gone));
    }
    cluster.server.answer_list("pods", object_list({pod_json("z", "30")}, "31"));
    const auto last = cluster.server.answer_watch("pods");
    const Following following(context, cluster.config());
    run_until(context, [&] { return last->is_open() && following.told.names() == "z"; });
    CHECK_THAT(cluster.server.targets("pods", true).back(),
               Catch::Matchers::ContainsSubstring("resourceVersion=31&"));
    CHECK(following.reflector.status().restarts == 1);
    CHECK(following.reflector.status().synced);
}

TEST_CASE("a token that has been rotated is read again when the old one is refused") {
    asio::io_context context;
    Cluster cluster(context);
    cluster.server.answer_list("pods", object_list({pod_json("a", "1")}, "10"));
    const Following following(context, cluster.config());
    run_until(context, [&] { return cluster.server.count("pods", true) == 1; });
    cluster.write_token("token-2");
    cluster.server.refuse_watch("pods", api_refusal(401, "Unauthorized", "expired"), 401);
    const auto stream = cluster.server.answer_watch("pods");
    run_until(context, [&] { return stream->is_open(); });
    CHECK(cluster.server.requests().back().authorization == "Bearer token-2");
    CHECK(following.told.problems.empty());
    CHECK(following.told.names() == "a");
}

TEST_CASE("a refusal is told once, in the API server's words and with what to do") {
    asio::io_context context;
    Cluster cluster(context);
    const std::string refusal =
        api_refusal(403, "Forbidden", "pods is forbidden: User x cannot list resource pods");
    for (int i = 0; i < 3; ++i)
        cluster.server.answer_list("pods", refusal, 403);
    cluster.server.answer_list("pods", object_list({pod_json("a", "1")}, "10"));
    cluster.server.answer_watch("pods");
    const Following following(context, cluster.config());
    run_until(context, [&] { return following.told.names() == "a"; });
    REQUIRE(following.told.problems.size() == 1);
    const std::string& problem = following.told.problems.front();
    CHECK_THAT(problem, Catch::Matchers::StartsWith("forbidden: "));
    CHECK_THAT(problem, Catch::Matchers::ContainsSubstring("User x cannot list resource pods"));
    CHECK_THAT(problem, Catch::Matchers::ContainsSubstring("RBAC"));
    CHECK_THAT(problem, Catch::Matchers::ContainsSubstring(cluster.server.url()));
    CHECK_THAT(problem, !Catch::Matchers::ContainsSubstring("token-1"));
}

TEST_CASE("an API server that cannot be reached is named, with what it was to be asked") {
    asio::io_context context;
    // Bound and not listened to: nobody else gets the port, and it refuses connections.
    const asio::ip::tcp::endpoint loopback(asio::ip::address_v4::loopback(), 0);
    asio::ip::tcp::acceptor nobody(context, loopback.protocol());
    nobody.bind(loopback);
    ClientConfig config;
    config.http.url = "http://127.0.0.1:" + std::to_string(nobody.local_endpoint().port());
    const Following following(context, config);
    run_until(context, [&] { return !following.told.problems.empty(); });
    CHECK(following.told.problems ==
          std::vector{"unreachable: the API server was asked to list pods in namespace llm: no "
                      "connection was established: Connection refused (" +
                      config.http.url + ")"});
}

TEST_CASE("what is known stays while the API server fails") {
    asio::io_context context;
    Cluster cluster(context);
    cluster.server.answer_list("pods", object_list({pod_json("a", "1")}, "10"));
    for (int i = 0; i < 3; ++i)
        cluster.server.refuse_watch("pods", "the proxy is unwell", 502);
    cluster.server.answer_list("pods", "{", 200);
    const Following following(context, cluster.config());
    run_until(context, [&] { return following.told.problems.size() == 2; });
    CHECK(following.told.names() == "a");
    CHECK(following.reflector.status().synced);
    REQUIRE(following.reflector.status().last_error);
    CHECK_THAT(following.told.problems[0], Catch::Matchers::ContainsSubstring("HTTP 502"));
    CHECK_THAT(following.told.problems[1], Catch::Matchers::StartsWith("bad_response"));
}

TEST_CASE("objects that lack everything optional are told of, and one that is none is left out") {
    asio::io_context context;
    Cluster cluster(context);
    cluster.server.answer_list(
        "pods", object_list({R"({"metadata":{"name":"bare"}})", R"("no object")"}, "10"));
    const auto stream = cluster.server.answer_watch("pods");
    stream->say(watch_line("ADDED", R"({"spec":{}})"));
    stream->say(watch_line("ADDED", pod_json("b", "12")));
    const Following following(context, cluster.config());
    run_until(context, [&] { return following.told.names() == "b bare"; });
    CHECK_FALSE(following.told.pods.at("bare").ready);
    CHECK(following.reflector.status().unreadable == 2);
    CHECK(following.told.problems.size() == 2);
}

TEST_CASE("an event without end is refused by the bound's name, and the list comes anew") {
    asio::io_context context;
    Cluster cluster(context);
    cluster.server.answer_list("pods", object_list({pod_json("a", "1")}, "10"));
    const auto stream = cluster.server.answer_watch("pods");
    for (int i = 0; i < 100; ++i)
        stream->say(std::string(100, 'x'));
    cluster.server.answer_list("pods", object_list({pod_json("b", "2")}, "20"));
    ClientConfig config = cluster.config();
    config.max_object_bytes = 5000;
    const Following following(context, config);
    run_until(context, [&] { return following.told.names() == "b"; });
    REQUIRE(following.told.problems.size() == 1);
    CHECK_THAT(following.told.problems.front(),
               Catch::Matchers::ContainsSubstring("max_object_bytes"));
}

TEST_CASE("a reflector that is stopped says nothing more, and begins anew with a list") {
    asio::io_context context;
    Cluster cluster(context);
    cluster.server.answer_list("pods", object_list({pod_json("a", "1")}, "10"));
    const auto stream = cluster.server.answer_watch("pods");
    Following following(context, cluster.config());
    run_until(context, [&] { return stream->is_open(); });
    following.reflector.stop();
    CHECK_FALSE(following.reflector.status().synced);
    run_until(context, [&] { return cluster.server.open_connections() == 0; });
    CHECK(following.told.names() == "a");

    cluster.server.answer_list("pods", object_list({pod_json("b", "2")}, "20"));
    following.reflector.start();
    run_until(context, [&] { return following.told.names() == "b"; });
    CHECK(following.reflector.status().lists == 2);
}

TEST_CASE("a reflector may be destroyed in the midst of a watch") {
    asio::io_context context;
    Cluster cluster(context);
    cluster.server.answer_list("pods", object_list({}, "10"));
    const auto stream = cluster.server.answer_watch("pods");
    auto following = std::make_unique<Following>(context, cluster.config());
    run_until(context, [&] { return stream->is_open(); });
    following.reset();
    run_until(context, [&] { return cluster.server.open_connections() == 0; });
}

TEST_CASE("an io_context may be destroyed in the midst of a watch, before the reflector") {
    std::optional<asio::io_context> context(std::in_place);
    std::optional<Cluster> cluster(std::in_place, *context);
    cluster->server.answer_list("pods", object_list({pod_json("a", "1")}, "10"));
    const auto stream = cluster->server.answer_watch("pods");
    Following following(*context, cluster->config());
    run_until(*context, [&] { return stream->is_open(); });
    // The streams hold timers of the context.
    cluster.reset();
    const_cast<ApiServer::StreamPtr&>(stream).reset();
    context.reset();
    CHECK_FALSE(following.reflector.status().running);
    following.reflector.start();
    following.reflector.stop();
}

TEST_CASE("outside of a cluster, what is missing is said") {
    kubernetes::InClusterSources sources;
    sources.environment = [](const char*) { return std::string(); };
    const auto nowhere = kubernetes::in_cluster_config(sources);
    REQUIRE(nowhere.has_error());
    CHECK(nowhere.error().is(Errc::invalid_config));
    CHECK_THAT(nowhere.error().message,
               Catch::Matchers::ContainsSubstring("KUBERNETES_SERVICE_HOST"));

    const TemporaryDirectory files;
    sources.service_account_directory = files.path().string();
    sources.environment = [](const char*) { return std::string("1"); };
    const auto no_token = kubernetes::in_cluster_config(sources);
    REQUIRE(no_token.has_error());
    CHECK_THAT(no_token.error().message,
               Catch::Matchers::ContainsSubstring("/token cannot be read"));
    write_file(files.path() / "token", "secret-token");
    const auto no_authority = kubernetes::in_cluster_config(sources);
    REQUIRE(no_authority.has_error());
    CHECK_THAT(no_authority.error().message,
               Catch::Matchers::ContainsSubstring("/ca.crt cannot be read"));
    write_file(files.path() / "ca.crt", "no certificate");
    const auto bad_authority = kubernetes::in_cluster_config(sources);
    REQUIRE(bad_authority.has_error());
    CHECK_THAT(bad_authority.error().message, Catch::Matchers::ContainsSubstring("tls.ca_file"));
    CHECK_THAT(bad_authority.error().message, !Catch::Matchers::ContainsSubstring("secret-token"));
}

TEST_CASE("in a cluster, address, token, authority and namespace are found") {
    asio::io_context context;
    const Cluster cluster(context);
    const auto config = kubernetes::in_cluster_config(cluster.sources());
    REQUIRE(config.has_value());
    CHECK(config->http.url == cluster.server.url());
    CHECK(config->own_namespace == "llm");
    CHECK(validate(*config).empty());
    kubernetes::InClusterSources other = cluster.sources();
    other.environment = [](const char* name) {
        return std::string(name == std::string("KUBERNETES_SERVICE_HOST") ? "fd00::1" : "443");
    };
    CHECK(kubernetes::in_cluster_config(other)->http.url == "https://[fd00::1]:443");
}
