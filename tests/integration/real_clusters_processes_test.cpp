// SPDX-License-Identifier: Apache-2.0
//
// Several processes of one pod: at once, and one after the other.
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

const std::string stateful_pod = "llama-0";

const ServingProcess first_rank{.kv_usage = 0.4, .queue = 5};
const ServingProcess second_rank{
    .started = 50min, .requests_per_minute = 120, .kv_usage = 0.8, .queue = 7};

ServingProcess in_engine(ServingProcess process, const std::string& engine, bool tells_start) {
    process.engine = engine;
    process.tells_start = tells_start;
    return process;
}

/// Both ranks as one pod.
void check_added(const Scenario& cluster) {
    AskedServer asked(cluster.server());
    const OptimizerMetrics load = asked.optimizer(cluster.variant("llama", "StatefulSet"));
    const ReplicaSamples replicas = asked.replicas(cluster.model());
    INFO(cluster.server().name());
    CHECK_THAT(load.arrival_rate_per_minute.value_or(-1), WithinRel(180.0, 1e-6));
    CHECK_THAT(load.avg_input_tokens.value_or(-1), WithinRel(100.0, 1e-6));
    REQUIRE(replicas.pods.size() == 1);
    CHECK(replicas.pods[0].pod == stateful_pod);
    CHECK(replicas.pods[0].queue_length.value_or(-1) == 12);
    CHECK(replicas.pods[0].kv_cache_usage.value_or(-1) == 0.8);
}

/// What shows of a pod whose process was restarted, right after it.
void check_successor(const Scenario& cluster) {
    AskedServer asked(cluster.server());
    const ReplicaSamples replicas = asked.replicas(cluster.model());
    INFO(cluster.server().name());
    REQUIRE(replicas.pods.size() == 1);
    const ReplicaSample& pod = replicas.pods[0];
    CHECK(pod.pod == stateful_pod);
    CHECK(pod.kv_cache_usage.value_or(-1) == 0.01);
    CHECK(pod.queue_length.value_or(-1) == 0);
    CHECK_THAT(cluster.ago(pod.kv_cache_usage), WithinAbs(1, asked.slack()));
    CHECK_THAT(cluster.ago(pod.queue_length), WithinAbs(1, asked.slack()));
    CHECK(replicas.gone_pods.empty());
}

} // namespace

TEST_CASE("two servers in one pod are added") {
    Scenario cluster(each_server());
    const bool tells_start = GENERATE(true, false);
    SECTION("on two ports, with and without an engine label") {
        const std::string engine = GENERATE("0", "");
        const Ago shift = GENERATE(0s, 6s);
        cluster.add(in_engine(first_rank, engine, tells_start), cluster.target(stateful_pod));
        cluster.add(in_engine(second_rank, engine, tells_start),
                    cluster.target(stateful_pod, "10.0.0.1:8001"),
                    {.first = 300s + shift, .last = 1s + shift});
    }
    SECTION("on two ports, scraped by two jobs") {
        cluster.add(in_engine(first_rank, "0", tells_start), cluster.target(stateful_pod));
        cluster.add(in_engine(second_rank, "0", tells_start),
                    cluster.target(stateful_pod, "10.0.0.1:8001", "rank-1"));
    }
    SECTION("on two ports, each scraped twice") {
        for (const char* job : {"vllm", "pods"}) {
            cluster.add(in_engine(first_rank, "0", tells_start),
                        cluster.target(stateful_pod, "10.0.0.1:8000", job));
            cluster.add(in_engine(second_rank, "0", tells_start),
                        cluster.target(stateful_pod, "10.0.0.1:8001", job));
        }
    }
    SECTION("two engines on one port") {
        cluster.add(in_engine(first_rank, "0", tells_start), cluster.target(stateful_pod));
        cluster.add_engine(in_engine(second_rank, "1", false), cluster.target(stateful_pod));
    }
    SECTION("two engines on one port that the server tells apart by a label of its own") {
        ServingProcess first = in_engine(first_rank, "", tells_start);
        ServingProcess second = in_engine(second_rank, "", false);
        first.labels = {{"dp_rank", "0"}};
        second.labels = {{"dp_rank", "1"}};
        cluster.add(first, cluster.target(stateful_pod));
        cluster.add_engine(second, cluster.target(stateful_pod));
    }
    cluster.write();
    check_added(cluster);
}

TEST_CASE("a sidecar that shows a server's metrics once more adds nothing") {
    Scenario cluster(each_server());
    cluster.add(first_rank, cluster.target(stateful_pod));
    cluster.add(first_rank, cluster.target(stateful_pod, "10.0.0.1:15020", "mesh"),
                {.first = 304s, .last = 5s});
    cluster.write();
    AskedServer asked(cluster.server());
    INFO(cluster.server().name());
    CHECK_THAT(asked.optimizer(cluster.variant("llama", "StatefulSet"))
                   .arrival_rate_per_minute.value_or(-1),
               WithinRel(60.0, 1e-6));
    const ReplicaSamples replicas = asked.replicas(cluster.model());
    REQUIRE(replicas.pods.size() == 1);
    CHECK(replicas.pods[0].queue_length.value_or(-1) == 5);
}

TEST_CASE("a pod that comes back under its name shows the new process at once") {
    Scenario cluster(each_server());
    const bool tells_start = GENERATE(true, false);
    const ServingProcess before{.kv_usage = 0.97, .queue = 40, .tells_start = tells_start};
    const ServingProcess after{
        .started = 20s, .kv_usage = 0.01, .queue = 0, .tells_start = tells_start};
    const ScrapedLabels old_target = cluster.target(stateful_pod, "10.0.0.1:8000");
    const ScrapedLabels new_target = cluster.target(stateful_pod, "10.0.0.7:8000");
    cluster.add(
        ReportedPod{.pod = stateful_pod, .owner_kind = "StatefulSet", .owner_name = "llama"});
    SECTION("at another address") {
        cluster.add(before, old_target, {.last = 31s, .end_marked = 16s});
        cluster.add(after, new_target, {.first = 16s});
    }
    SECTION("at another address, scraped once so far") {
        cluster.add(before, old_target, {.last = 31s, .end_marked = 16s});
        cluster.add(after, new_target, {.first = 1s});
    }
    SECTION("at another address, and nobody marked the end of the old one") {
        cluster.add(before, old_target, {.last = 31s});
        cluster.add(after, new_target, {.first = 16s});
    }
    SECTION("at another address, and scraped by two jobs") {
        for (const char* job : {"vllm", "pods"}) {
            cluster.add(before, cluster.target(stateful_pod, "10.0.0.1:8000", job),
                        {.last = 31s, .end_marked = 16s});
            cluster.add(after, cluster.target(stateful_pod, "10.0.0.7:8000", job), {.first = 16s});
        }
    }
    SECTION("at the same address, with a gap") {
        cluster.add(before, old_target, {.last = 46s, .end_marked = 31s});
        cluster.add(after, old_target, {.first = 16s});
    }
    SECTION("at the same address, between two scrapes") {
        cluster.add(before, old_target, {.last = 31s});
        cluster.add(after, old_target, {.first = 16s});
    }
    cluster.write();
    check_successor(cluster);
}

TEST_CASE("a restart between two scrapes does not count as requests") {
    Scenario cluster(each_server());
    const ScrapedLabels target = cluster.target(stateful_pod);
    cluster.add(ServingProcess{}, target, {.last = 31s});
    // It began when the scrape before it had passed, and counts from 0.
    cluster.add(ServingProcess{.started = 31s}, target, {.first = 16s});
    cluster.write();
    AskedServer asked(cluster.server());
    INFO(cluster.server().name());
    CHECK_THAT(asked.optimizer(cluster.variant("llama", "StatefulSet"))
                   .arrival_rate_per_minute.value_or(-1),
               WithinRel(60.0, 1e-6));
}
