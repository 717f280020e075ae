// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/kubernetes/client.hpp"
#include "wva_metrics/kubernetes/owner_resolver.hpp"
#include "wva_metrics/kubernetes/variant_watcher.hpp"
#include "wva_metrics/kubernetes/watch_end.hpp"

#include "support/cluster.hpp"
#include "support/http_calls.hpp"

#include <catch2/catch_all.hpp>

#include <boost/asio/co_spawn.hpp>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace asio = boost::asio;
using namespace wva_metrics;
using namespace wva_metrics::test_support;
using kubernetes::OwnerResolver;
using kubernetes::VariantWatcher;

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

TEST_CASE("a resource above the limit of watches is not requested, and the problem names the "
          "required number") {
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
    // However often they try, a resource without a slot is not listed.
    run_until(context, [&] { return variants.status().lists > 5; });
    CHECK(problems.size() == 3);
    CHECK(server.requests().size() == 4);

    // It starts when others release their slots.
    server.answer_list("variantautoscalings", object_list({variant_json("a", "m", "1")}, "10"));
    server.answer_watch("variantautoscalings");
    owners.stop();
    run_until(context, [&] { return server.count("variantautoscalings", true) == 1; });
    CHECK(variants.snapshot()->size() == 1);
    CHECK_FALSE(variants.status().last_error.has_value());
}

TEST_CASE("a direct watch above the limit is rejected, and the error names the limit") {
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
