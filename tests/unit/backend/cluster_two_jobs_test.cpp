// SPDX-License-Identifier: Apache-2.0
#include "cluster_fixture.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <string>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test_support;
using Catch::Matchers::WithinRel;

TEST_CASE_METHOD(ClusterFixture, "a pod that two jobs scrape counts once") {
    const ScrapedServer server;
    const auto second = GENERATE(2s, 9s); // In step, and not.
    scrape(server, target(pod_a, "10.0.0.1:8000", {{"job", "podmonitor"}}));
    scrape(server, target(pod_a, "10.0.0.1:8000", {{"job", "annotations"}}), {.age = second});
    const OptimizerMetrics metrics = load();
    CHECK_THAT(metrics.arrival_rate_per_minute.value(), WithinRel(60.0, 1e-6));
    CHECK_THAT(metrics.avg_input_tokens.value(), WithinRel(100.0, 1e-6));
    CHECK_FALSE(metrics.partial);
    CHECK(metrics.coverage == cover(1, {}));
    const ReplicaSamples samples = pods();
    REQUIRE(pod_names(samples) == std::vector{pod_a});
    CHECK(samples.pods[0].queue_length.value() == 3);
    CHECK(samples.pods[0].kv_cache_usage.value() == 0.5);
    CHECK(samples.warnings.empty());
}

TEST_CASE_METHOD(ClusterFixture, "many pods that many jobs scrape count once each") {
    for (int pod = 0; pod < 10; ++pod) {
        const ScrapedServer server{.per_second = pod + 1.0};
        for (const std::string job : {"a", "b", "c"})
            scrape(server, target("llama-7d9f8b6c5d-aaaa" + std::to_string(pod),
                                  "10.0.0." + std::to_string(pod) + ":8000", {{"job", job}}));
    }
    CHECK_THAT(load().arrival_rate_per_minute.value(), WithinRel(60.0 * 55, 1e-6));
    CHECK(load().coverage == cover(10, {}));
    CHECK(pods().pods.size() == 10);
}
