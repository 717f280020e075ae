// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/attribution/any_pod_owners.hpp"
#include "wva_metrics/kubernetes/client.hpp"
#include "wva_metrics/kubernetes/owner_resolver.hpp"

#include "support/cluster.hpp"
#include "support/cluster_workloads.hpp"
#include "support/http_calls.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace asio = boost::asio;
using namespace wva_metrics;
using namespace wva_metrics::test_support;
using namespace std::chrono_literals;
using kubernetes::OwnerResolver;

TEST_CASE("owners and states of pods come from the cluster and follow its changes") {
    asio::io_context context;
    Cluster cluster(context);
    ApiServer& server = cluster.server;
    // Neither the name of the pod nor that of its replica set contains an owner's name.
    server.answer_list(
        "pods",
        object_list({pod_json("strange", "1", true, owner_json("ReplicaSet", "odd"))}, "10"));
    const auto pods = server.answer_watch("pods");
    answer_workloads(server);

    kubernetes::OwnerResolverConfig config;
    config.namespaces = {"llm"};
    const auto owners = std::make_shared<OwnerResolver>(
        kubernetes::Client(context.get_executor(), cluster.config()), config);
    const AnyPodOwners any(owners);
    CHECK(any.find("llm", "strange") == std::nullopt);
    CHECK(any.state_of("llm", "strange") == PodState::unknown);
    owners->start();
    run_until(context, [&] { return owners->is_synced(); });

    CHECK(any.find("llm", "strange") ==
          PodOwner{"Deployment", "web", OwnerSource::owner_references});
    CHECK(any.state_of("llm", "strange") == PodState::ready);
    // It may have been created after the last event, however long ago that was.
    CHECK(any.state_of("llm", "never-seen") == PodState::unknown);
    // Another namespace is not followed, so its pods are unknown.
    CHECK(any.state_of("other", "strange") == PodState::unknown);

    pods->send(
        watch_line("MODIFIED", pod_json("strange", "11", false, owner_json("ReplicaSet", "odd"))));
    run_until(context, [&] { return any.state_of("llm", "strange") == PodState::not_ready; });
    pods->send(watch_line("DELETED", pod_json("strange", "12")));
    run_until(context, [&] { return any.state_of("llm", "strange") == PodState::gone; });
    CHECK(any.find("llm", "strange") == std::nullopt);
    CHECK(any.state_of("other", "strange") == PodState::unknown);
    pods->send(watch_line("ADDED", pod_json("strange", "13")));
    run_until(context, [&] { return any.state_of("llm", "strange") == PodState::ready; });
    // Pods are listed once, however many look-ups there are.
    CHECK(server.count("pods", false) == 1);
    CHECK(owners->status().size() == 4);
}

TEST_CASE("while the API server fails, owners stay known and no pod is gone") {
    asio::io_context context;
    Cluster cluster(context);
    ApiServer& server = cluster.server;
    server.answer_list("pods",
                       object_list({pod_json("strange", "1", true, owner_json("ReplicaSet", "odd")),
                                    pod_json("ended", "2")},
                                   "10"));
    const auto pods = server.answer_watch("pods");
    answer_workloads(server);
    std::vector<std::string> problems;
    kubernetes::OwnerResolverConfig config;
    config.namespaces = {"llm"};
    config.on_problem = [&](const Error& error) { problems.push_back(error.describe()); };
    OwnerResolver owners(kubernetes::Client(context.get_executor(), cluster.config()), config);
    owners.start();
    pods->send(watch_line("DELETED", pod_json("ended", "11")));
    run_until(context, [&] {
        return owners.is_synced() && owners.state_of("llm", "ended") == PodState::gone;
    });

    server.reject_watch("pods", status_json(403, "Forbidden", "no longer"), 403);
    pods->end();
    run_until(context, [&] { return !problems.empty(); });
    CHECK_THAT(problems.front(), Catch::Matchers::ContainsSubstring("no longer"));
    CHECK(owners.find("llm", "strange").has_value());
    CHECK(owners.state_of("llm", "strange") == PodState::ready);
    // A new pod may have its name.
    CHECK(owners.state_of("llm", "ended") == PodState::unknown);
}

TEST_CASE(
    "while pods are listed again none is gone, and afterwards those missing in the list are") {
    asio::io_context context;
    Cluster cluster(context);
    ApiServer& server = cluster.server;
    server.answer_list("pods", object_list({pod_json("a", "1"), pod_json("b", "2")}, "10", "more"));
    server.answer_list("pods", object_list({pod_json("c", "3")}, "10"));
    const auto pods = server.answer_watch("pods");
    answer_workloads(server);
    kubernetes::ClientConfig client = cluster.config();
    client.page_size = 2;
    kubernetes::OwnerResolverConfig config;
    config.namespaces = {"llm"};
    OwnerResolver owners(kubernetes::Client(context.get_executor(), client), config);
    owners.start();
    pods->send(watch_line("DELETED", pod_json("c", "11")));
    run_until(context, [&] { return owners.state_of("llm", "c") == PodState::gone; });

    // The API server no longer has the version, and has not sent the second page yet.
    pods->send(watch_line("ERROR", status_json(410, "Expired", "too old resource version")));
    server.answer_list("pods",
                       object_list({pod_json("a", "1"), pod_json("c", "12")}, "30", "more"));
    run_until(context, [&] { return server.count("pods", false) == 4; });
    CHECK_FALSE(owners.status().front().last_error.has_value());
    CHECK(owners.status().front().synced);
    CHECK(owners.status().front().listing);
    CHECK(owners.state_of("llm", "new") == PodState::unknown);
    CHECK(owners.state_of("llm", "c") == PodState::unknown);
    CHECK(owners.state_of("llm", "b") == PodState::ready);

    server.answer_watch("pods");
    server.answer_list("pods", object_list({pod_json("new", "13")}, "30"));
    run_until(context, [&] { return owners.state_of("llm", "b") == PodState::gone; });
    CHECK_FALSE(owners.status().front().listing);
    CHECK(owners.state_of("llm", "new") == PodState::ready);
    CHECK(owners.state_of("llm", "c") == PodState::ready);
}

TEST_CASE("a pod that a list lacks because it is unreadable is not gone") {
    asio::io_context context;
    Cluster cluster(context);
    ApiServer& server = cluster.server;
    server.answer_list("pods", object_list({pod_json("a", "1"), pod_json("b", "2")}, "10"));
    const auto pods = server.answer_watch("pods");
    answer_workloads(server);
    OwnerResolver owners(kubernetes::Client(context.get_executor(), cluster.config()));
    owners.start();
    run_until(context, [&] { return owners.is_synced() && pods->is_open(); });

    pods->send(watch_line("ERROR", status_json(410, "Expired", "too old resource version")));
    server.answer_list(
        "pods",
        object_list({pod_json("a", "1"), R"({"metadata":{"name":"b"},"status":"none"})"}, "30"));
    server.answer_watch("pods");
    run_until(context, [&] { return server.count("pods", true) == 2; });
    CHECK(owners.state_of("llm", "a") == PodState::ready);
    CHECK(owners.state_of("llm", "b") == PodState::unknown);
}

TEST_CASE("a pod that stops matching the selector is not gone") {
    asio::io_context context;
    Cluster cluster(context);
    cluster.server.answer_list("pods", object_list({pod_json("p", "1")}, "10"));
    const auto pods = cluster.server.answer_watch("pods");
    answer_workloads(cluster.server);
    kubernetes::OwnerResolverConfig config;
    config.pod_selector = "app=web";
    OwnerResolver owners(kubernetes::Client(context.get_executor(), cluster.config()), config);
    owners.start();
    run_until(context, [&] { return owners.state_of("llm", "p") == PodState::ready; });
    pods->send(watch_line("DELETED", pod_json("p", "11")));
    run_until(context, [&] { return owners.state_of("llm", "p") != PodState::ready; });
    CHECK(owners.state_of("llm", "p") == PodState::unknown);
}

TEST_CASE("if the API server sends nothing for too long, pod states are unknown") {
    asio::io_context context;
    Cluster cluster(context);
    cluster.server.answer_list("pods", object_list({pod_json("p", "1")}, "10"));
    cluster.server.answer_watch("pods");
    answer_workloads(cluster.server);
    kubernetes::OwnerResolverConfig config;
    config.max_staleness = 1ns;
    OwnerResolver owners(kubernetes::Client(context.get_executor(), cluster.config()), config);
    owners.start();
    run_until(context, [&] { return owners.is_synced(); });
    CHECK(owners.state_of("llm", "p") == PodState::unknown);
}

TEST_CASE("a namespace is followed once, however often it is configured") {
    asio::io_context context;
    kubernetes::ClientConfig client_config;
    client_config.http.url = "http://127.0.0.1:1";
    const kubernetes::Client client(context.get_executor(), client_config);
    const auto reflectors = [&](std::vector<std::string> namespaces) {
        kubernetes::OwnerResolverConfig config;
        config.namespaces = std::move(namespaces);
        return OwnerResolver(client, config).status().size();
    };
    CHECK(reflectors({"a", "b", "a"}) == 8);
    CHECK(reflectors({"a", "", "b"}) == 4);
}
