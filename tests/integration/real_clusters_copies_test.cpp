// SPDX-License-Identifier: Apache-2.0
//
// One process that is scraped several times counts once.
#include "support/asked_server.hpp"
#include "support/each_server.hpp"
#include "support/scenario.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <string>

using namespace std::chrono_literals;
using namespace wva_metrics;
using namespace wva_metrics::test_support;
using Catch::Matchers::WithinAbs;
using Catch::Matchers::WithinRel;

namespace {

const std::string copied_pod = "llama-7d9f8b6c5d-aaaaa";

/// Scrapes at the same rate, but not at the same times.
Scrapes shifted(Ago by) {
    return {.first = 300s + by, .last = 1s + by};
}

/// The default process, once: 60 requests per minute, 3 waiting.
void check_once(const Scenario& cluster, double newest = 1) {
    AskedServer asked(cluster.server());
    const OptimizerMetrics load = asked.optimizer(cluster.variant());
    // Here, because the end of a section drops the messages before it.
    INFO(cluster.server().name() << ", reason: "
                                 << to_string(load.arrival_rate_per_minute.reason()));
    CHECK_THAT(load.arrival_rate_per_minute.value_or(-1), WithinRel(60.0, 1e-6));
    CHECK_THAT(load.avg_input_tokens.value_or(-1), WithinRel(100.0, 1e-6));
    CHECK_THAT(load.avg_output_tokens.value_or(-1), WithinRel(200.0, 1e-6));
    CHECK_THAT(load.ttft_seconds.value_or(-1), WithinRel(0.25, 1e-6));
    CHECK_THAT(load.itl_seconds.value_or(-1), WithinRel(0.02, 1e-6));
    CHECK_FALSE(load.partial);

    const ReplicaSamples replicas = asked.replicas(cluster.model());
    REQUIRE(replicas.pods.size() == 1);
    const ReplicaSample& pod = replicas.pods[0];
    CHECK(pod.pod == copied_pod);
    CHECK(pod.queue_length.value_or(-1) == 3);
    CHECK(pod.kv_cache_usage.value_or(-1) == 0.5);
    CHECK_THAT(cluster.ago(pod.queue_length), WithinAbs(newest, asked.slack()));
    CHECK_THAT(cluster.ago(load.arrival_rate_per_minute), WithinAbs(newest, asked.slack()));
}

} // namespace

TEST_CASE("a pod that is scraped by one job is measured to its last sample") {
    Scenario cluster(each_server());
    cluster.add(ServingProcess{}, cluster.target(copied_pod));
    cluster.write();
    check_once(cluster);
}

TEST_CASE("a pod that several jobs scrape counts once") {
    Scenario cluster(each_server());
    const bool tells_start = GENERATE(true, false);
    const Ago shift = GENERATE(0ms, 5s, 11s);
    const ServingProcess process{.tells_start = tells_start};
    cluster.add(process, cluster.target(copied_pod, "10.0.0.1:8000", "vllm"));
    cluster.add(process, cluster.target(copied_pod, "10.0.0.1:8000", "pods"), shifted(shift));
    SECTION("two jobs") {}
    SECTION("three jobs, one of which began a minute ago") {
        cluster.add(process, cluster.target(copied_pod, "10.0.0.1:8000", "annotations"),
                    {.first = 62s, .last = 2s});
    }
    SECTION("another job ended a while ago") {
        cluster.add(process, cluster.target(copied_pod, "10.0.0.1:8000", "old"),
                    {.last = 46s, .end_marked = 31s});
    }
    cluster.write();
    check_once(cluster);
}

TEST_CASE("targets of a pod that differ in what the scraper writes count once") {
    Scenario cluster(each_server());
    ScrapedLabels first = cluster.target(copied_pod);
    ScrapedLabels second = first;
    SECTION("container") {
        first["container"] = "vllm";
        second["container"] = "proxy";
    }
    SECTION("a container that one of them lacks") {
        second["container"] = "vllm";
    }
    SECTION("endpoint") {
        first["endpoint"] = "http";
        second["endpoint"] = "metrics";
    }
    SECTION("container, endpoint, service and job") {
        first.insert({{"container", "vllm"}, {"endpoint", "http"}});
        second.insert({{"container", "vllm"}, {"endpoint", "metrics"}, {"service", "llama"}});
        second["job"] = "llm/llama";
    }
    SECTION("the address family") {
        second["instance"] = "[fd00::1]:8000";
    }
    cluster.add(ServingProcess{}, first);
    cluster.add(ServingProcess{}, second, shifted(4s));
    cluster.write();
    check_once(cluster);
}

TEST_CASE("of the two replicas of a Prometheus pair the freshest counts") {
    Scenario cluster(each_server());
    const std::string label = GENERATE("prometheus_replica", "replica");
    ScrapedLabels a = cluster.target(copied_pod);
    ScrapedLabels b = a;
    a[label] = "a";
    b[label] = "b";
    SECTION("in step") {
        cluster.add(ServingProcess{}, a);
        cluster.add(ServingProcess{}, b);
    }
    SECTION("b is 40 s behind") {
        cluster.add(ServingProcess{}, a);
        cluster.add(ServingProcess{}, b, {.last = 41s});
    }
    SECTION("a is 40 s behind") {
        cluster.add(ServingProcess{}, a, {.last = 41s});
        cluster.add(ServingProcess{}, b);
    }
    SECTION("a crashed two minutes ago, and marked nothing") {
        cluster.add(ServingProcess{}, a, {.last = 121s});
        cluster.add(ServingProcess{}, b);
    }
    SECTION("b has just started") {
        cluster.add(ServingProcess{}, a);
        cluster.add(ServingProcess{}, b, {.first = 1s, .last = 1s});
    }
    cluster.write();
    check_once(cluster);
}

TEST_CASE("a store that is behind as a whole is measured at its newest samples, with their age") {
    Scenario cluster(each_server());
    ScrapedLabels a = cluster.target(copied_pod);
    ScrapedLabels b = a;
    a["prometheus_replica"] = "a";
    b["prometheus_replica"] = "b";
    cluster.add(ServingProcess{}, a, {.last = 41s});
    cluster.add(ServingProcess{}, b, {.last = 44s});
    cluster.write();
    check_once(cluster, 41);
}

TEST_CASE("copies of one pod do not hide another") {
    Scenario cluster(each_server());
    const std::string other_pod = "llama-7d9f8b6c5d-bbbbb";
    const ServingProcess other{
        .started = 40min, .requests_per_minute = 30, .kv_usage = 0.25, .queue = 1};
    for (const char* job : {"vllm", "pods"}) {
        cluster.add(ServingProcess{}, cluster.target(copied_pod, "10.0.0.1:8000", job));
        cluster.add(other, cluster.target(other_pod, "10.0.0.2:8000", job), shifted(3s));
    }
    cluster.write();
    AskedServer asked(cluster.server());
    CHECK_THAT(asked.optimizer(cluster.variant()).arrival_rate_per_minute.value_or(-1),
               WithinRel(90.0, 1e-6));
    const ReplicaSamples replicas = asked.replicas(cluster.model());
    REQUIRE(replicas.pods.size() == 2);
    CHECK(replicas.pods[0].queue_length.value_or(-1) == 3);
    CHECK(replicas.pods[1].queue_length.value_or(-1) == 1);
    CHECK(replicas.pods[1].kv_cache_usage.value_or(-1) == 0.25);
}
