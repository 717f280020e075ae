// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/attribution/any_pod_owners.hpp"
#include "wva_metrics/cache/memory_cache.hpp"
#include "wva_metrics/collector.hpp"
#include "wva_metrics/kubernetes/client.hpp"
#include "wva_metrics/kubernetes/owner_resolver.hpp"
#include "wva_metrics/kubernetes/variant_watcher.hpp"
#include "wva_metrics/kubernetes/watch_end.hpp"
#include "wva_metrics/testing/fake_backend.hpp"

#include "support/cluster.hpp"
#include "support/http_calls.hpp"

#include <catch2/catch_all.hpp>

#include <boost/asio/co_spawn.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <exception>
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
using kubernetes::VariantWatcher;

namespace {

std::string owner(const std::string& kind, const std::string& name) {
    return R"({"kind":")" + kind + R"(","name":")" + name + R"(","uid":"uid-)" + name +
           R"(","controller":true})";
}

std::string replica_set(const std::string& name, const std::string& deployment) {
    return R"({"metadata":{"namespace":"llm","name":")" + name + R"(","uid":"uid-)" + name +
           R"(","resourceVersion":"5","ownerReferences":[)" + owner("Deployment", deployment) +
           "]}}";
}

std::string variant(const std::string& name, const std::string& model, const std::string& version) {
    return R"({"metadata":{"namespace":"llm","name":")" + name + R"(","uid":"uid-)" + name +
           R"(","resourceVersion":")" + version +
           R"(","labels":{"inference.optimization/acceleratorName":"A100"}},)"
           R"("spec":{"modelID":")" +
           model + R"(","variantCost":"40","scaleTargetRef":{"kind":"Deployment","name":")" + name +
           R"("}}})";
}

/// Answers the lists of the workloads, with one replica set.
void answer_workloads(ApiServer& server) {
    server.answer_list("replicasets", object_list({replica_set("odd", "web")}, "10"));
    server.answer_list("statefulsets", object_list({}, "10"));
    server.answer_list("deployments", object_list({}, "10"));
    for (const char* const plural : {"replicasets", "statefulsets", "deployments"})
        server.answer_watch(plural);
}

constexpr const char* variants_resource = "variantautoscalings";

} // namespace

TEST_CASE("whose pods there are is known from the cluster, and follows its changes") {
    asio::io_context context;
    Cluster cluster(context);
    ApiServer& server = cluster.server;
    // A name that tells nothing, and a replica set whose name tells nothing either.
    server.answer_list(
        "pods", object_list({pod_json("strange", "1", true, owner("ReplicaSet", "odd"))}, "10"));
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
    // It may have been made since the API server last spoke, however long it is silent.
    CHECK(any.state_of("llm", "never-seen") == PodState::unknown);
    // Of another namespace nothing is known, which is not the same.
    CHECK(any.state_of("other", "strange") == PodState::unknown);

    pods->say(watch_line("MODIFIED", pod_json("strange", "11", false, owner("ReplicaSet", "odd"))));
    run_until(context, [&] { return any.state_of("llm", "strange") == PodState::not_ready; });
    pods->say(watch_line("DELETED", pod_json("strange", "12")));
    run_until(context, [&] { return any.state_of("llm", "strange") == PodState::gone; });
    CHECK(any.find("llm", "strange") == std::nullopt);
    CHECK(any.state_of("other", "strange") == PodState::unknown);
    pods->say(watch_line("ADDED", pod_json("strange", "13")));
    run_until(context, [&] { return any.state_of("llm", "strange") == PodState::ready; });
    // However many were asked for, pods were listed once.
    CHECK(server.count("pods", false) == 1);
    CHECK(owners->status().size() == 4);
}

TEST_CASE("while the API server fails, owners stay known and no pod counts as gone") {
    asio::io_context context;
    Cluster cluster(context);
    ApiServer& server = cluster.server;
    server.answer_list("pods",
                       object_list({pod_json("strange", "1", true, owner("ReplicaSet", "odd")),
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
    pods->say(watch_line("DELETED", pod_json("ended", "11")));
    run_until(context, [&] {
        return owners.is_synced() && owners.state_of("llm", "ended") == PodState::gone;
    });

    server.refuse_watch("pods", api_refusal(403, "Forbidden", "no longer"), 403);
    pods->end();
    run_until(context, [&] { return !problems.empty(); });
    CHECK_THAT(problems.front(), Catch::Matchers::ContainsSubstring("no longer"));
    CHECK(owners.find("llm", "strange").has_value());
    CHECK(owners.state_of("llm", "strange") == PodState::ready);
    // Another one may have been made under its name.
    CHECK(owners.state_of("llm", "ended") == PodState::unknown);
}

TEST_CASE("while pods are listed anew none is gone, and after it those that the list lacks") {
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
    pods->say(watch_line("DELETED", pod_json("c", "11")));
    run_until(context, [&] { return owners.state_of("llm", "c") == PodState::gone; });

    // The API server has forgotten the place, and has not sent the second page yet.
    pods->say(watch_line("ERROR", api_refusal(410, "Expired", "too old resource version")));
    server.answer_list("pods",
                       object_list({pod_json("a", "1"), pod_json("c", "12")}, "30", "more"));
    run_until(context, [&] { return server.count("pods", false) == 4; });
    CHECK_FALSE(owners.status().front().last_error.has_value());
    CHECK(owners.status().front().synced);
    CHECK(owners.status().front().listing);
    CHECK(owners.state_of("llm", "made-meanwhile") == PodState::unknown);
    CHECK(owners.state_of("llm", "c") == PodState::unknown);
    CHECK(owners.state_of("llm", "b") == PodState::ready);

    server.answer_watch("pods");
    server.answer_list("pods", object_list({pod_json("made-meanwhile", "13")}, "30"));
    run_until(context, [&] { return owners.state_of("llm", "b") == PodState::gone; });
    CHECK_FALSE(owners.status().front().listing);
    CHECK(owners.state_of("llm", "made-meanwhile") == PodState::ready);
    CHECK(owners.state_of("llm", "c") == PodState::ready);
}

TEST_CASE("a pod that a list lacks because it could not be read is not gone") {
    asio::io_context context;
    Cluster cluster(context);
    ApiServer& server = cluster.server;
    server.answer_list("pods", object_list({pod_json("a", "1"), pod_json("b", "2")}, "10"));
    const auto pods = server.answer_watch("pods");
    answer_workloads(server);
    OwnerResolver owners(kubernetes::Client(context.get_executor(), cluster.config()));
    owners.start();
    run_until(context, [&] { return owners.is_synced() && pods->is_open(); });

    pods->say(watch_line("ERROR", api_refusal(410, "Expired", "too old resource version")));
    server.answer_list(
        "pods",
        object_list({pod_json("a", "1"), R"({"metadata":{"name":"b"},"status":"none"})"}, "30"));
    server.answer_watch("pods");
    run_until(context, [&] { return server.count("pods", true) == 2; });
    CHECK(owners.state_of("llm", "a") == PodState::ready);
    CHECK(owners.state_of("llm", "b") == PodState::unknown);
}

TEST_CASE("a pod that ceases to fit the selector looks deleted, and is not gone") {
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
    pods->say(watch_line("DELETED", pod_json("p", "11")));
    run_until(context, [&] { return owners.state_of("llm", "p") != PodState::ready; });
    CHECK(owners.state_of("llm", "p") == PodState::unknown);
}

TEST_CASE("a namespace is followed once, however often it is named") {
    asio::io_context context;
    const kubernetes::Client client(context.get_executor(), {});
    const auto reflectors = [&](std::vector<std::string> namespaces) {
        kubernetes::OwnerResolverConfig config;
        config.namespaces = std::move(namespaces);
        return OwnerResolver(client, config).status().size();
    };
    CHECK(reflectors({"a", "b", "a"}) == 8);
    CHECK(reflectors({"a", "", "b"}) == 4);
}

TEST_CASE("all resources of many namespaces are watched at once") {
    asio::io_context context;
    Cluster cluster(context);
    kubernetes::OwnerResolverConfig config;
    config.namespaces.clear();
    constexpr std::size_t namespaces = 9;
    const std::vector<const char*> resources{"pods", "replicasets", "statefulsets", "deployments"};
    for (std::size_t i = 0; i < namespaces; ++i) {
        config.namespaces.push_back("n" + std::to_string(i));
        for (const char* const plural : resources) {
            cluster.server.answer_list(plural, object_list({}, "10"));
            cluster.server.answer_watch(plural);
        }
    }
    std::vector<std::string> problems;
    config.on_problem = [&](const Error& error) { problems.push_back(error.describe()); };
    OwnerResolver owners(kubernetes::Client(context.get_executor(), cluster.config()), config);
    owners.start();
    run_until(context, [&] {
        return std::ranges::all_of(resources, [&](const char* plural) {
            return cluster.server.count(plural, true) == namespaces;
        });
    });
    CHECK(owners.is_synced());
    CHECK(problems.empty());
}

TEST_CASE("a resource too many for the client is not asked for, and the number needed is said") {
    asio::io_context context;
    Cluster cluster(context);
    ApiServer& server = cluster.server;
    server.answer_list("pods", object_list({pod_json("p", "1")}, "10"));
    server.answer_list("replicasets", object_list({}, "10"));
    server.answer_watch("pods");
    server.answer_watch("replicasets");
    kubernetes::ClientConfig client_config = cluster.config();
    client_config.max_watches = 2;
    const kubernetes::Client client(context.get_executor(), client_config);
    std::vector<std::string> problems;
    const auto on_problem = [&](const Error& error) { problems.push_back(error.describe()); };
    kubernetes::OwnerResolverConfig config;
    config.on_problem = on_problem;
    OwnerResolver owners(client, config);
    kubernetes::VariantWatcherConfig variants_config;
    variants_config.on_problem = on_problem;
    VariantWatcher variants(client, variants_config);
    owners.start();
    variants.start();
    run_until(context, [&] {
        return problems.size() == 3 && server.count("pods", true) == 1 &&
               server.count("replicasets", true) == 1;
    });

    for (const std::string& problem : problems)
        CHECK_THAT(problem, Catch::Matchers::StartsWith(
                                "invalid_config: max_watches = 2 is too low for the 5 resources "
                                "that are followed through this client; raise it to 5,"));
    CHECK_FALSE(owners.is_synced());
    CHECK(owners.state_of("llm", "p") == PodState::ready);
    // However often they try, what cannot be watched is not listed.
    run_until(context, [&] { return variants.status().lists > 5; });
    CHECK(problems.size() == 3);
    CHECK(server.requests().size() == 4);

    // Where others make room, it begins.
    server.answer_list(variants_resource, object_list({variant("a", "m", "1")}, "10"));
    server.answer_watch(variants_resource);
    owners.stop();
    run_until(context, [&] { return server.count(variants_resource, true) == 1; });
    CHECK(variants.snapshot()->size() == 1);
    CHECK_FALSE(variants.status().last_error.has_value());
}

TEST_CASE("a watch of one's own too many is refused by the bound's name") {
    asio::io_context context;
    Cluster cluster(context);
    const auto first = cluster.server.answer_watch("pods");
    kubernetes::ClientConfig config = cluster.config();
    config.max_watches = 1;
    const kubernetes::Client client(context.get_executor(), config);
    const auto watch = [&](std::optional<kubernetes::WatchEnd>& end) {
        const kubernetes::Resource<kubernetes::Pod> resource;
        const kubernetes::Selection selection;
        asio::co_spawn(
            context,
            client.watch<kubernetes::Pod>(resource, selection, "1",
                                          [](const auto&) { return std::optional<Error>(); }),
            [&end](const std::exception_ptr&, kubernetes::WatchEnd ended) {
                end = std::move(ended);
            });
    };
    std::optional<kubernetes::WatchEnd> one;
    watch(one);
    run_until(context, [&] { return first->is_open(); });
    std::optional<kubernetes::WatchEnd> another;
    watch(another);
    run_until(context, [&] { return another.has_value(); });
    REQUIRE(another->error);
    CHECK(another->error->is(Errc::unavailable));
    CHECK_THAT(another->error->message, Catch::Matchers::ContainsSubstring("max_watches"));
    first->end();
    run_until(context, [&] { return one.has_value(); });
    CHECK_FALSE(one->error);
}

TEST_CASE("pods of which the API server has not spoken for long are in no known state") {
    asio::io_context context;
    Cluster cluster(context);
    cluster.server.answer_list("pods", object_list({pod_json("p", "1")}, "10"));
    cluster.server.answer_watch("pods");
    answer_workloads(cluster.server);
    kubernetes::OwnerResolverConfig config;
    config.max_staleness = 0s;
    OwnerResolver owners(kubernetes::Client(context.get_executor(), cluster.config()), config);
    owners.start();
    run_until(context, [&] { return owners.is_synced(); });
    CHECK(owners.state_of("llm", "p") == PodState::unknown);
}

TEST_CASE("a collector tracks the variants that a cluster has, as they come, change and go") {
    asio::io_context context;
    Cluster cluster(context);
    ApiServer& server = cluster.server;
    server.answer_list(variants_resource,
                       object_list({variant("a", "m", "1"), variant("b", "m", "2")}, "10"));
    const auto watch = server.answer_watch(variants_resource);

    Collector<testing::FakeBackend<>, MemoryCache> collector(context.get_executor(),
                                                             testing::FakeBackend<>());
    kubernetes::VariantWatcherConfig config;
    std::size_t changes = 0;
    config.on_change = [&](const kubernetes::VariantsChange& change) {
        ++changes;
        track_change(collector, change);
    };
    VariantWatcher variants(kubernetes::Client(context.get_executor(), cluster.config()), config);
    CHECK(variants.snapshot()->empty());
    variants.start();
    run_until(context, [&] { return changes == 1; });
    CHECK(collector.stats().tracked_variants == 2);
    CHECK(collector.stats().tracked_models == 1);
    CHECK(variants.snapshot()->at(0) ==
          VariantAutoscaling("llm", "a", "m", "a", "A100", 40.0, "Deployment"));
    CHECK(server.targets(variants_resource, false)
              .front()
              .starts_with("/apis/llmd.ai/v1alpha1/variantautoscalings?"));

    watch->say(watch_line("ADDED", variant("c", "n", "11")));
    watch->say(watch_line("DELETED", variant("a", "m", "12")));
    run_until(context, [&] { return changes == 3; });
    CHECK(collector.stats().tracked_variants == 2);
    CHECK(collector.stats().tracked_models == 2);
    watch->say(watch_line("MODIFIED", variant("b", "n", "13")));
    run_until(context, [&] { return changes == 4; });
    CHECK(collector.stats().tracked_variants == 2);
    CHECK(collector.stats().tracked_models == 1);

    // The resource is away for a while: nothing is untracked.
    server.refuse_watch(variants_resource, api_refusal(404, "NotFound", "no such resource"), 404);
    watch->end();
    run_until(context, [&] { return variants.status().last_error.has_value(); });
    CHECK(collector.stats().tracked_variants == 2);
    CHECK(variants.snapshot()->size() == 2);
}

TEST_CASE("a custom resource of another group and version is followed there") {
    asio::io_context context;
    Cluster cluster(context);
    cluster.server.answer_list("variants", object_list({variant("a", "m", "1")}, "10"));
    cluster.server.answer_watch("variants");
    kubernetes::VariantWatcherConfig config;
    config.resource.group = "example.org";
    config.resource.version = "v2";
    config.resource.plural = "variants";
    config.namespace_name = "llm";
    VariantWatcher variants(kubernetes::Client(context.get_executor(), cluster.config()), config);
    variants.start();
    run_until(context, [&] { return variants.snapshot()->size() == 1; });
    CHECK(cluster.server.targets("variants", false)
              .front()
              .starts_with("/apis/example.org/v2/namespaces/llm/variants?"));
}
