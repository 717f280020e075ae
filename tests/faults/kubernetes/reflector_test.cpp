// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/kubernetes/reflector.hpp"

#include "support/cluster.hpp"
#include "support/followed_pods.hpp"
#include "support/http_calls.hpp"
#include "wva_metrics/http/impl/client.hpp" // For another executor.

#include <catch2/catch_all.hpp>

#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

namespace asio = boost::asio;
using namespace wva_metrics;
using namespace wva_metrics::test_support;
using kubernetes::ClientConfig;
using kubernetes::Pod;
using kubernetes::Reflector;
using kubernetes::ReflectorHandler;
using kubernetes::Selection;

TEST_CASE("a long list is requested in pages and delivered complete") {
    asio::io_context context;
    Cluster cluster(context);
    cluster.server.answer_list(
        "pods", object_list({pod_json("a", "1"), pod_json("b", "2")}, "10", "next/1"));
    cluster.server.answer_list("pods", object_list({pod_json("c", "3")}, "11"));
    cluster.server.answer_watch("pods");
    ClientConfig config = cluster.config();
    config.page_size = 2;
    const FollowedPods following(context, config);
    run_until(context, [&] { return cluster.server.count("pods", true) == 1; });

    CHECK(following.received.names() == "a b c");
    CHECK(following.received.lists == 1);
    CHECK(following.received.pods.at("a").ready);
    CHECK(following.reflector.status().synced);
    CHECK(cluster.server.targets("pods", false) ==
          std::vector<std::string>{"/api/v1/namespaces/llm/pods?limit=2",
                                   "/api/v1/namespaces/llm/pods?limit=2&continue=next%2F1"});
    CHECK_THAT(cluster.server.targets("pods", true).front(),
               Catch::Matchers::ContainsSubstring("resourceVersion=10&"));
    CHECK(cluster.server.requests().front().authorization == "Bearer token-1");
}

TEST_CASE("a reflector is synced when its handler has received the list, and not before") {
    asio::io_context context;
    Cluster cluster(context);
    cluster.server.answer_list("pods", object_list({pod_json("a", "1")}, "10"));
    std::optional<kubernetes::ReflectorStatus> during;
    std::optional<Reflector<Pod>> reflector;
    ReflectorHandler<Pod> handler;
    handler.on_listed = [&](const std::vector<Pod>&) { during = reflector->status(); };
    reflector.emplace(kubernetes::Client(context.get_executor(), cluster.config()),
                      Selection{"llm", {}}, handler);
    CHECK_FALSE(reflector->status().listing);
    reflector->start();
    run_until(context, [&] { return cluster.server.count("pods", true) == 1; });
    REQUIRE(during);
    CHECK_FALSE(during->synced);
    CHECK(during->listing);
    CHECK(reflector->status().synced);
    CHECK_FALSE(reflector->status().listing);
    reflector->stop();
}

TEST_CASE("the events of a watch are delivered, wherever its bytes are split") {
    asio::io_context context;
    Cluster cluster(context);
    cluster.server.answer_list("pods", object_list({pod_json("a", "1"), pod_json("b", "2")}, "10"));
    const auto stream = cluster.server.answer_watch("pods");
    const FollowedPods following(context, cluster.config());
    const std::string events = watch_line("ADDED", pod_json("c", "11")) +
                               watch_line("MODIFIED", pod_json("a", "12", false)) +
                               watch_line("DELETED", pod_json("b", "13"));
    for (const char byte : events)
        stream->send(std::string(1, byte));
    run_until(context, [&] { return following.received.names() == "a c"; });
    CHECK_FALSE(following.received.pods.at("a").ready);
    CHECK(following.received.lists == 1);
    CHECK(following.received.problems.empty());
}

TEST_CASE("a watch that ends or is interrupted resumes from the last event or bookmark") {
    asio::io_context context;
    Cluster cluster(context);
    cluster.server.answer_list("pods", object_list({pod_json("a", "1")}, "10"));
    const auto first = cluster.server.answer_watch("pods");
    const auto second = cluster.server.answer_watch("pods");
    const auto third = cluster.server.answer_watch("pods");
    const FollowedPods following(context, cluster.config());

    first->send(watch_line("ADDED", pod_json("b", "17")));
    first->end();
    run_until(context, [&] { return second->is_open(); });
    second->send(bookmark_line("25"));
    second->disconnect();
    run_until(context, [&] { return third->is_open(); });

    const std::vector<std::string> watches = cluster.server.targets("pods", true);
    REQUIRE(watches.size() == 3);
    CHECK_THAT(watches[1], Catch::Matchers::ContainsSubstring("resourceVersion=17&"));
    CHECK_THAT(watches[2], Catch::Matchers::ContainsSubstring("resourceVersion=25&"));
    CHECK_THAT(watches[2], Catch::Matchers::ContainsSubstring("allowWatchBookmarks=true"));
    CHECK(following.received.names() == "a b");
    CHECK(following.received.lists == 1);
    // The end of a watch is not a problem.
    CHECK(following.received.problems.empty());
}

TEST_CASE("a stopped reflector delivers nothing more, and starts again with a list") {
    asio::io_context context;
    Cluster cluster(context);
    cluster.server.answer_list("pods", object_list({pod_json("a", "1")}, "10"));
    const auto stream = cluster.server.answer_watch("pods");
    FollowedPods following(context, cluster.config());
    run_until(context, [&] { return stream->is_open(); });
    following.reflector.stop();
    CHECK_FALSE(following.reflector.status().synced);
    run_until(context, [&] { return cluster.server.open_connections() == 0; });
    CHECK(following.received.names() == "a");

    cluster.server.answer_list("pods", object_list({pod_json("b", "2")}, "20"));
    following.reflector.start();
    run_until(context, [&] { return following.received.names() == "b"; });
    CHECK(following.reflector.status().lists == 2);
}

TEST_CASE("a reflector may be destroyed during a watch") {
    asio::io_context context;
    Cluster cluster(context);
    cluster.server.answer_list("pods", object_list({}, "10"));
    const auto stream = cluster.server.answer_watch("pods");
    auto following = std::make_unique<FollowedPods>(context, cluster.config());
    run_until(context, [&] { return stream->is_open(); });
    following.reset();
    run_until(context, [&] { return cluster.server.open_connections() == 0; });
}

TEST_CASE("an io_context may be destroyed during a watch, before the reflector") {
    std::optional<asio::io_context> context(std::in_place);
    std::optional<Cluster> cluster(std::in_place, *context);
    cluster->server.answer_list("pods", object_list({pod_json("a", "1")}, "10"));
    const auto stream = cluster->server.answer_watch("pods");
    FollowedPods following(*context, cluster->config());
    run_until(*context, [&] { return stream->is_open(); });
    // The streams have timers of the context.
    cluster.reset();
    const_cast<ApiServer::StreamPtr&>(stream).reset();
    context.reset();
    CHECK_FALSE(following.reflector.status().running);
    following.reflector.start();
    following.reflector.stop();
}

TEST_CASE("a reflector runs on an executor of any type") {
    using Executor = asio::io_context::executor_type;
    asio::io_context context;
    Cluster cluster(context);
    cluster.server.answer_list("pods", object_list({pod_json("a", "1")}, "10"));
    using Client = kubernetes::Client::rebind_executor<Executor>::other;
    const Client client(context.get_executor(), cluster.config());
    STATIC_CHECK(std::is_same_v<Client, kubernetes::BasicClient<Executor>>);
    CHECK(client.get_executor() == context.get_executor());
    ReceivedPods received;
    Reflector<Pod, Executor> reflector(client, Selection{"llm", {}}, received.handler());
    reflector.start();
    run_until(context, [&] { return received.names() == "a"; });
}
