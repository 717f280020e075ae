// SPDX-License-Identifier: Apache-2.0
//
// Totals that lack a pod, and totals after a pod has ended.
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

const std::string answering_pod = "llama-7d9f8b6c5d-aaaaa";
const std::string busy_pod = "llama-7d9f8b6c5d-bbbbb";
const std::string busy_address = "10.0.0.2:8000";

/// The pod that answers, and what kube-state-metrics says of both.
void add_pods(Scenario& cluster) {
    cluster.add(ServingProcess{}, cluster.target(answering_pod));
    for (const std::string& pod : {answering_pod, busy_pod})
        cluster.add(ReportedPod{.pod = pod, .owner_name = "llama-7d9f8b6c5d"});
}

/// A pod that served until it became too busy to answer its scraper.
void add_busy_pod(Scenario& cluster, Ago last_answer, const std::string& job = "vllm") {
    const ServingProcess process{
        .started = 50min, .requests_per_minute = 300, .kv_usage = 0.98, .queue = 60};
    const Ago first_failure = last_answer - 15s;
    cluster.add(
        process, cluster.target(busy_pod, busy_address, job),
        {.last = last_answer, .end_marked = first_failure, .failed_until = first_failure % 15s});
}

/// The total says that it lacks the busy pod.
void check_partial(const Scenario& cluster, AskedServer& asked) {
    const OptimizerMetrics load = asked.optimizer(cluster.variant());
    INFO(cluster.server().name() << ": " << load.arrival_rate_per_minute.value_or(-1) << ", "
                                 << reason_of(load.arrival_rate_per_minute));
    CHECK(load.partial);
    CHECK(mentions(load.warnings, busy_pod));
    CHECK_FALSE(mentions(load.warnings, answering_pod));
}

} // namespace

TEST_CASE("a total without the pod that is too busy to answer scrapes is no total") {
    Scenario cluster(each_server());
    add_pods(cluster);
    bool use_kube_state = true;
    SECTION("one sample of it is in the window") {
        add_busy_pod(cluster, 51s);
    }
    SECTION("two jobs cannot scrape it") {
        add_busy_pod(cluster, 51s);
        add_busy_pod(cluster, 53s, "pods");
    }
    SECTION("it has answered nothing for two minutes") {
        add_busy_pod(cluster, 121s);
    }
    SECTION("it has answered nothing for two minutes, and nobody else knows of it") {
        use_kube_state = false;
        add_busy_pod(cluster, 121s);
    }
    cluster.write();
    AskedServer asked(cluster.server());
    asked.config.use_kube_state = use_kube_state;
    check_partial(cluster, asked);
}

TEST_CASE("the gauges of a pod that is too busy to answer scrapes are shown with their age") {
    Scenario cluster(each_server());
    add_pods(cluster);
    add_busy_pod(cluster, 51s);
    cluster.write();
    AskedServer asked(cluster.server());
    const ReplicaSamples replicas = asked.replicas(cluster.model());
    INFO(cluster.server().name());
    REQUIRE(replicas.pods.size() == 2);
    CHECK(replicas.pods[0].queue_length.value_or(-1) == 3);
    const ReplicaSample& busy = replicas.pods[1];
    CHECK(busy.pod == busy_pod);
    CHECK(busy.kv_cache_usage.value_or(-1) == 0.98);
    CHECK(busy.queue_length.value_or(-1) == 60);
    CHECK_THAT(cluster.ago(busy.queue_length), WithinAbs(51, asked.slack()));
    CHECK(replicas.gone_pods.empty());
}

TEST_CASE("a pod that is no server yet, or no more, is missing in no total") {
    Scenario cluster(each_server());
    cluster.add(ServingProcess{}, cluster.target(answering_pod));
    cluster.add(ReportedPod{.pod = answering_pod, .owner_name = "llama-7d9f8b6c5d"});
    SECTION("it was evicted, or it starts") {
        cluster.add(ReportedPod{.pod = busy_pod, .owner_name = "llama-7d9f8b6c5d", .ready = false});
    }
    SECTION("it belongs to another workload") {
        cluster.add(
            ReportedPod{.pod = "gateway-5d8c9b7f64-ccccc", .owner_name = "gateway-5d8c9b7f64"});
    }
    SECTION("it was deleted while it was too busy to answer") {
        cluster.add(ServingProcess{.started = 50min}, cluster.target(busy_pod, busy_address),
                    {.last = 121s, .end_marked = 106s, .failed_until = 61s});
        cluster.add(ReportedPod{.pod = busy_pod,
                                .owner_name = "llama-7d9f8b6c5d",
                                .seen = {.last = 61s, .end_marked = 46s}});
    }
    cluster.write();
    AskedServer asked(cluster.server());
    const OptimizerMetrics load = asked.optimizer(cluster.variant());
    INFO(cluster.server().name());
    CHECK_FALSE(load.partial);
    CHECK(load.warnings.empty());
    CHECK_THAT(load.arrival_rate_per_minute.value_or(-1), WithinRel(60.0, 1e-6));
}

TEST_CASE("the rate of a variant is as old as its newest sample, also after a pod has ended") {
    Scenario cluster(each_server());
    cluster.add(ServingProcess{}, cluster.target(answering_pod));
    cluster.add(ReportedPod{.pod = answering_pod, .owner_name = "llama-7d9f8b6c5d"});
    const ServingProcess ending{.started = 50min};
    const ScrapedLabels target = cluster.target(busy_pod, busy_address);
    double least = 60;
    SECTION("4 s ago") {
        cluster.add(ending, target, {.last = 8s, .end_marked = 4s});
        least = 100;
    }
    SECTION("half a minute ago") {
        cluster.add(ending, target, {.last = 34s, .end_marked = 30s});
        least = 75;
    }
    SECTION("4 s ago, and kube-state-metrics knows it") {
        cluster.add(ending, target, {.last = 8s, .end_marked = 4s});
        cluster.add(ReportedPod{.pod = busy_pod,
                                .owner_name = "llama-7d9f8b6c5d",
                                .seen = {.last = 17s, .end_marked = 2s}});
        least = 100;
    }
    cluster.write();
    AskedServer asked(cluster.server());
    const OptimizerMetrics load = asked.optimizer(cluster.variant());
    INFO(cluster.server().name());
    // What the ended pod served in the window counts.
    CHECK(load.arrival_rate_per_minute.value_or(-1) > least);
    CHECK(load.arrival_rate_per_minute.value_or(-1) < 120.001);
    CHECK_THAT(cluster.ago(load.arrival_rate_per_minute), WithinAbs(1, asked.slack()));
    CHECK_THAT(cluster.ago(load.ttft_seconds), WithinAbs(1, asked.slack()));
    CHECK_THAT(load.ttft_seconds.value_or(-1), WithinRel(0.25, 1e-6));
}

TEST_CASE("a pod whose samples have older times of their own is there, with their age") {
    Scenario cluster(each_server());
    const ScrapedLabels target = cluster.target(answering_pod);
    cluster.add_engine(ServingProcess{}, target, {.last = 25s, .every = 5s});
    cluster.add_series("up", target, {.every = 5s}, 1.0);
    cluster.write();
    AskedServer asked(cluster.server());
    const ReplicaSamples replicas = asked.replicas(cluster.model());
    INFO(cluster.server().name());
    CHECK(replicas.gone_pods.empty());
    REQUIRE(replicas.pods.size() == 1);
    CHECK(replicas.pods[0].queue_length.value_or(-1) == 3);
    CHECK_THAT(cluster.ago(replicas.pods[0].queue_length), WithinAbs(25, asked.slack()));
}
