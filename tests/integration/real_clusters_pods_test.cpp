// SPDX-License-Identifier: Apache-2.0
//
// Which pods exist, by kube-state-metrics as it is scraped in clusters.
#include "support/asked_server.hpp"
#include "support/each_server.hpp"
#include "support/scenario.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using namespace wva_metrics;
using namespace wva_metrics::test_support;
using Catch::Matchers::WithinRel;

namespace {

const std::string lasting_pod = "llama-7d9f8b6c5d-aaaaa";
const std::string replica_set = "llama-7d9f8b6c5d";

/// A target's last scrape before it was deleted, and the one that did not find it, of scrapes every
/// 15 s up to `phase` ago. If that one is yet to come, the scraper has marked the end already.
Scrapes until_deleted(Ago deleted, Ago phase) {
    Ago marked = phase;
    while (marked + 15s < deleted)
        marked += 15s;
    Scrapes scrapes{.last = marked + 15s, .end_marked = marked};
    scrapes.first = std::max(scrapes.first, scrapes.last + 5min);
    return scrapes;
}

void check_deleted(const Scenario& cluster, const std::vector<std::string>& deleted) {
    AskedServer asked(cluster.server());
    const ReplicaSamples replicas = asked.replicas(cluster.model());
    INFO(cluster.server().name());
    REQUIRE_FALSE(replicas.pods.empty());
    CHECK(replicas.pods[0].pod == lasting_pod);
    CHECK(replicas.pods[0].queue_length.value_or(-1) == 3);
    for (const ReplicaSample& pod : replicas.pods)
        for (const std::string& gone : deleted)
            CHECK(pod.pod != gone);
}

} // namespace

TEST_CASE("a deleted pod is gone within one scrape interval, and stays gone") {
    Scenario cluster(each_server());
    cluster.add(ServingProcess{}, cluster.target(lasting_pod));
    cluster.add(ReportedPod{.pod = lasting_pod, .owner_name = replica_set, .seen = {.last = 2s}});
    std::vector<std::string> deleted;
    int number = 1;
    for (const Ago ago : {Ago(5s), Ago(16s), Ago(20s), Ago(31s), Ago(45s), Ago(90s), Ago(4min)}) {
        const std::string suffix = std::to_string(number);
        deleted.push_back(replica_set + "-bbbb" + suffix);
        cluster.add(ServingProcess{.started = 1h + number * 1min},
                    cluster.target(deleted.back(), "10.0.1." + suffix + ":8000"),
                    until_deleted(ago, 1s));
        cluster.add(ReportedPod{
            .pod = deleted.back(), .owner_name = replica_set, .seen = until_deleted(ago, 2s)});
        ++number;
    }
    cluster.write();
    check_deleted(cluster, deleted);
}

TEST_CASE("a deleted pod is gone although nobody marked the end of its series") {
    Scenario cluster(each_server());
    const std::string deleted = replica_set + "-bbbbb";
    cluster.add(ServingProcess{}, cluster.target(lasting_pod));
    cluster.add(ReportedPod{.pod = lasting_pod, .owner_name = replica_set, .seen = {.last = 2s}});
    cluster.add(ServingProcess{.started = 50min}, cluster.target(deleted, "10.0.0.2:8000"),
                {.last = 46s});
    cluster.add(
        ReportedPod{.pod = deleted, .owner_name = replica_set, .seen = until_deleted(40s, 2s)});
    cluster.write();
    check_deleted(cluster, {deleted});
}

TEST_CASE("a pod that exists but does not answer is not gone") {
    Scenario cluster(each_server());
    const std::string crashed = replica_set + "-bbbbb";
    for (const std::string& pod : {lasting_pod, crashed})
        cluster.add(ReportedPod{.pod = pod,
                                .owner_name = replica_set,
                                .ready = pod == lasting_pod,
                                .seen = {.last = 2s}});
    cluster.add(ServingProcess{}, cluster.target(lasting_pod));
    cluster.add(ServingProcess{.started = 50min}, cluster.target(crashed, "10.0.0.2:8000"),
                {.last = 31s, .end_marked = 16s, .failed_until = 1s});
    cluster.write();
    AskedServer asked(cluster.server());
    INFO(cluster.server().name());
    CHECK(asked.replicas(cluster.model()).gone_pods.empty());
}

TEST_CASE("kube-state-metrics whose labels are not honoured is understood, or named") {
    Scenario cluster(each_server());
    const std::string deleted = replica_set + "-bbbbb";
    const std::string renamed = "worker-x";
    std::string reporter = "monitoring";
    SECTION("it runs in another namespace") {}
    SECTION("it runs in the namespace of the servers") {
        reporter = cluster.namespace_name();
    }
    const auto report = [&](const std::string& pod, const Scrapes& seen) {
        cluster.add(ReportedPod{.pod = pod,
                                .owner_name = replica_set,
                                .seen = seen,
                                .reporter_namespace = reporter,
                                .namespace_label = "exported_namespace",
                                .pod_label = "exported_pod"});
    };
    report(lasting_pod, {.last = 2s});
    report(renamed, {.last = 2s});
    report(deleted, until_deleted(12s, 2s));
    cluster.add(ServingProcess{}, cluster.target(lasting_pod));
    // Only kube-state-metrics knows whose pod this is.
    cluster.add(ServingProcess{.started = 50min}, cluster.target(renamed, "10.0.0.3:8000"));
    cluster.add(ServingProcess{.started = 40min}, cluster.target(deleted, "10.0.0.2:8000"),
                until_deleted(12s, 1s));
    cluster.write();
    check_deleted(cluster, {deleted});

    AskedServer asked(cluster.server());
    const OptimizerMetrics load = asked.optimizer(cluster.variant());
    INFO(cluster.server().name() << ": " << load.arrival_rate_per_minute.value_or(-1));
    // The two that live, and what the deleted one served in the window.
    const bool is_understood = load.arrival_rate_per_minute.value_or(-1) > 150;
    CHECK((is_understood || mentions(load.warnings, "exported_pod")));
}

TEST_CASE("the owner that kube-state-metrics names counts more than the name of a pod") {
    Scenario cluster(each_server());
    cluster.add(ServingProcess{}, cluster.target("worker-x"));
    cluster.add(ReportedPod{.pod = "worker-x", .owner_name = replica_set});
    cluster.write();
    AskedServer asked(cluster.server());
    INFO(cluster.server().name());
    CHECK_THAT(asked.optimizer(cluster.variant()).arrival_rate_per_minute.value_or(-1),
               WithinRel(60.0, 1e-6));
}
