// SPDX-License-Identifier: Apache-2.0
#include "cluster_fixture.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <string>

using namespace wva_metrics;
using namespace wva_metrics::test_support;
using Catch::Matchers::WithinRel;

TEST_CASE_METHOD(ClusterFixture, "an HA pair without deduplication counts once, by the freshest") {
    const ScrapedServer server;
    const auto replica = [&](const std::string& name, const Scraped& when) {
        scrape(server, target(pod_a, "10.0.0.1:8000", {{"prometheus_replica", name}}), when);
    };
    std::chrono::milliseconds age{};
    SECTION("in step") {
        replica("a", {.age = 4s});
        replica("b", {.age = 4s});
        age = 4s;
    }
    SECTION("out of step") {
        replica("a", {.age = 9s});
        replica("b", {.age = 1s});
        age = 1s;
    }
    SECTION("one is 40 s behind") {
        replica("a", {.age = 4s});
        replica("b", {.age = 1s, .behind = 40s});
        age = 4s;
    }
    SECTION("one has stopped") {
        replica("a", {.age = 4s});
        replica("b", {.age = 1s, .behind = 4min});
        age = 4s;
    }
    const TimePoint before = std::chrono::steady_clock::now();
    const Reading<double> rate = load().arrival_rate_per_minute;
    CHECK_THAT(rate.value(), WithinRel(60.0, 1e-6));
    CHECK(is_aged(rate.sampled_at(), before, age));
    const ReplicaSamples samples = pods();
    REQUIRE(samples.pods.size() == 1);
    CHECK(samples.pods[0].queue_length.value() == 3);
    CHECK(is_aged(samples.pods[0].queue_length.latest_at(), before, age));
    CHECK_FALSE(samples.partial);
}
