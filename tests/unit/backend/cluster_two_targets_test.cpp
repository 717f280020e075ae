// SPDX-License-Identifier: Apache-2.0
#include "cluster_fixture.hpp"

#include <catch2/catch_all.hpp>

#include <string>

using namespace wva_metrics;
using namespace wva_metrics::test_support;
using Catch::Matchers::WithinRel;

TEST_CASE_METHOD(ClusterFixture, "two targets of a pod that differ in one label count once") {
    const std::string label = GENERATE("container", "endpoint", "service", "metrics_path", "node");
    CAPTURE(label);
    const ScrapedServer server;
    scrape(server, target(pod_a, "10.0.0.1:8000", {{label, "one"}}));
    scrape(server, target(pod_a, "10.0.0.1:8000", {{label, "two"}}), {.age = 7s});
    CHECK_THAT(load().arrival_rate_per_minute.value(), WithinRel(60.0, 1e-6));
    CHECK(load().coverage == cover(1, {}));
    const ReplicaSamples samples = pods();
    REQUIRE(samples.pods.size() == 1);
    CHECK(samples.pods[0].queue_length.value() == 3);
}

TEST_CASE_METHOD(ClusterFixture, "a label that only one of two targets has does not matter") {
    const ScrapedServer server;
    scrape(server, target(pod_a, "10.0.0.1:8000"));
    scrape(server, target(pod_a, "10.0.0.1:8000", {{"container", "vllm"}, {"endpoint", "http"}}));
    CHECK_THAT(load().arrival_rate_per_minute.value(), WithinRel(60.0, 1e-6));
    CHECK(pods().pods.at(0).queue_length.value() == 3);
}
