// SPDX-License-Identifier: Apache-2.0
#include "cluster_fixture.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <string>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test_support;

TEST_CASE_METHOD(ClusterFixture, "a pod that comes back under its name is the new one at once") {
    const bool has_identity = GENERATE(false, true);
    const ScrapedServer before_it{
        .queue = ScrapedServer::always(40), .kv = ScrapedServer::always(0.97), .ended = noon - 40s};
    const ScrapedServer now{.per_second = 0.5,
                            .queue = ScrapedServer::always(0),
                            .kv = ScrapedServer::always(0.01),
                            .started = noon - GENERATE(3s, 18s)};
    scrape(before_it, target("llama-0", "10.0.0.1:8000"), {.age = 4s, .removed = noon - 40s});
    scrape(now, target("llama-0", "10.0.0.9:8000"));
    report_pod("llama-0");
    if (!has_identity)
        for (const std::string instance : {"10.0.0.1:8000", "10.0.0.9:8000"})
            fake.remove({"process_start_time_seconds", target("llama-0", instance)});
    const TimePoint before = std::chrono::steady_clock::now();
    const ReplicaSamples samples = pods();
    REQUIRE(pod_names(samples) == std::vector<std::string>{"llama-0"});
    CHECK(samples.pods[0].kv_cache_usage.value() == 0.01);
    CHECK(samples.pods[0].queue_length.value() == 0);
    CHECK(is_aged(samples.pods[0].queue_length.sampled_at(), before, 2s));
    CHECK(samples.gone_pods.empty());
}

TEST_CASE_METHOD(ClusterFixture, "a server that restarts at its address is the new one at once") {
    // The series go on: a container restarted, and its counters began anew.
    ScrapedServer server{.queue = ScrapedServer::always(40), .kv = ScrapedServer::always(0.97)};
    server.ended = noon - 20s;
    scrape(server, target(pod_a, "10.0.0.1:8000"));
    scrape({.queue = ScrapedServer::always(0),
            .kv = ScrapedServer::always(0.01),
            .started = noon - 20s},
           target(pod_a, "10.0.0.1:8000"));
    const ReplicaSample sample = pods().pods.at(0);
    CHECK(sample.kv_cache_usage.value() == 0.01);
    CHECK(sample.queue_length.value() == 0);
}
