// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/cache/memory_cache.hpp"
#include "wva_metrics/collector.hpp"
#include "wva_metrics/kubernetes/client.hpp"
#include "wva_metrics/kubernetes/variant_watcher.hpp"
#include "wva_metrics/testing/fake_backend.hpp"

#include "support/cluster.hpp"
#include "support/http_calls.hpp"

#include <catch2/catch_all.hpp>

#include <cstddef>
#include <string>
#include <utility>

namespace asio = boost::asio;
using namespace wva_metrics;
using namespace wva_metrics::test_support;
using kubernetes::VariantWatcher;

namespace {

constexpr const char* variants_resource = "variantautoscalings";

} // namespace

TEST_CASE("a collector tracks the variants of a cluster as they are added, changed and deleted") {
    asio::io_context context;
    Cluster cluster(context);
    ApiServer& server = cluster.server;
    server.answer_list(
        variants_resource,
        object_list({variant_json("a", "m", "1"), variant_json("b", "m", "2")}, "10"));
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

    watch->send(watch_line("ADDED", variant_json("c", "n", "11")));
    watch->send(watch_line("DELETED", variant_json("a", "m", "12")));
    run_until(context, [&] { return changes == 3; });
    CHECK(collector.stats().tracked_variants == 2);
    CHECK(collector.stats().tracked_models == 2);
    watch->send(watch_line("MODIFIED", variant_json("b", "n", "13")));
    run_until(context, [&] { return changes == 4; });
    CHECK(collector.stats().tracked_variants == 2);
    CHECK(collector.stats().tracked_models == 1);

    // While the resource is unavailable nothing is untracked.
    server.reject_watch(variants_resource, status_json(404, "NotFound", "no such resource"), 404);
    watch->end();
    run_until(context, [&] { return variants.status().last_error.has_value(); });
    CHECK(collector.stats().tracked_variants == 2);
    CHECK(variants.snapshot()->size() == 2);
}

TEST_CASE("a custom resource under another group and version is followed there") {
    asio::io_context context;
    Cluster cluster(context);
    cluster.server.answer_list("variants", object_list({variant_json("a", "m", "1")}, "10"));
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
