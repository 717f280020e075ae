// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/samples/processes.hpp"

#include "unit/samples/simulated_cluster.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

namespace wva_metrics::samples::simulated {

using Catch::Matchers::WithinAbs;

namespace {

std::size_t count_status(const Outcome& result, ProcessStatus status) {
    return static_cast<std::size_t>(
        std::ranges::count(result.found.processes, status, &Process::status));
}

bool has_evidence(const Outcome& result, const std::string& words) {
    return std::ranges::any_of(result.found.processes, [&](const Process& process) {
        return std::ranges::find(process.evidence, words) != process.evidence.end();
    });
}

} // namespace

TEST_CASE("nothing is found in nothing, nor in views without samples") {
    const std::vector<View> empty(3);
    for (const auto& views : {std::vector<View>{}, empty}) {
        const ModelProcesses found = find_processes(views, vllm_metrics(), {}, now);
        CHECK(found.processes.empty());
        CHECK(found.warnings.empty());
    }
}

TEST_CASE("each process of distinct pods is its own, and they are sorted by pod") {
    Server server;
    Cluster cluster;
    for (const char* pod : {"c", "a", "b"})
        cluster.scrape({&server, pod_target(pod, std::string(pod) + ":8000")});
    const Outcome result = outcome(cluster);
    REQUIRE(result.found.processes.size() == 3);
    CHECK(std::ranges::is_sorted(result.found.processes, {}, &Process::pod));
    CHECK(count_status(result, ProcessStatus::counted) == 3);
}

TEST_CASE("a series without an address beside others is a recorded copy, and left out") {
    Server server;
    Cluster cluster;
    cluster.scrape({&server, pod_target("p", "10.0.0.1:8000")});
    cluster.scrape({&server, pod_target("p", ""), 15s, 1s});
    cluster.scrape({&server, {{"namespace", "prod"}}, 15s, 0s});
    const Outcome result = outcome(cluster);
    CHECK(count_status(result, ProcessStatus::counted) == 1);
    CHECK(count_status(result, ProcessStatus::aggregate) == 2);
    CHECK_THAT(result.per_minute(), WithinAbs(60, 0.5));
    CHECK(result.queue() == 3);
    CHECK(result.life("") == "absent");
    CHECK(result.warns_of("without an address (labels: exported_instance, instance)"));
}

TEST_CASE("where no series of a pod has an address, they count") {
    Server server;
    Cluster cluster;
    cluster.scrape({&server, pod_target("a", "")});
    cluster.scrape({&server, pod_target("b", "10.0.0.1:8000")});
    const Outcome result = outcome(cluster);
    CHECK(result.queue("a") == 3);
    CHECK(result.queue("b") == 3);
    CHECK(result.found.warnings.empty());
}

TEST_CASE("an address that is none is not lacking") {
    Server server;
    Cluster cluster;
    cluster.scrape({&server, pod_target("p", "10.0.0.1:8000")});
    cluster.scrape({&server, pod_target("p", "node-1"), 15s, 9s});
    CHECK(count_status(outcome(cluster), ProcessStatus::aggregate) == 0);
}

TEST_CASE("series without a pod belong to the pod of their address, identity or values") {
    const std::string by = GENERATE("address", "identity", "values");
    Server server{.per_second = by == "values" ? 10.0 : 1.0, .started = 100min};
    Server other{.per_second = 2, .started = 7min};
    Cluster cluster;
    cluster.asks_identity = by == "identity";
    cluster.scrape({&server, pod_target("p", "10.0.0.1:8000")});
    cluster.scrape({&other, pod_target("q", "10.0.0.2:8000")});
    cluster.scrape(
        {&server, pod_target("", by == "address" ? "10.0.0.1:8000" : "[fd00::1]:80"), 15s, 9s});
    const Outcome result = outcome(cluster);
    CHECK(result.queue("p") == 3);
    CHECK(result.life("") == "absent");
    CHECK(count_status(result, ProcessStatus::counted) == 2);
    CHECK(has_evidence(result, by));
    CHECK(result.warns_of("are copies of those of pod \"p\""));
}

TEST_CASE("series without a pod that match none, or two, are unattributed") {
    Server server;
    Server other{.per_second = 2, .started = 7min};
    Cluster none;
    none.scrape({&server, pod_target("p", "10.0.0.1:8000")});
    none.scrape({&other, pod_target("", "10.0.0.2:8000")});
    const Outcome result = outcome(none);
    CHECK(count_status(result, ProcessStatus::unattributed) == 1);
    CHECK(result.queue("p") == 3);
    CHECK(result.queue("") == 3);
    CHECK(result.warns_of("1 server has no label that names the pod"));

    Cluster two;
    two.scrape({&server, pod_target("p", "10.0.0.1:8000")});
    two.scrape({&server, pod_target("q", "10.0.0.1:8000"), 15s, 6s});
    two.scrape({&server, pod_target("", "10.0.0.1:8000"), 15s, 9s});
    CHECK(count_status(outcome(two), ProcessStatus::unattributed) == 1);
}

TEST_CASE("servers without pods are one for each address, unless they are proven one") {
    Server server{.per_second = 0};
    const int count = GENERATE(3, 40);
    Cluster cluster;
    cluster.asks_identity = GENERATE(false, true);
    std::vector<Server> servers(static_cast<std::size_t>(count), server);
    for (int i = 0; i < count; ++i) {
        Server& own = servers[static_cast<std::size_t>(i)];
        own.started = std::chrono::minutes(10 + i);
        const std::string address = "10.0.0." + std::to_string(i) + ":8000";
        cluster.scrape({&own, pod_target("", address)});
        cluster.scrape({&own, pod_target("", address, {{"job", "z"}}), 15s, 9s});
    }
    const Outcome result = outcome(cluster);
    CHECK(count_status(result, ProcessStatus::unattributed) == static_cast<std::size_t>(count));
    CHECK(result.queue("") == 3 * count);
    CHECK(result.warns_of(std::to_string(count) + " servers have no label"));
}

TEST_CASE("one server without a pod under two addresses is one if its identity says so") {
    Server server;
    Cluster cluster;
    cluster.asks_identity = true;
    cluster.scrape({&server, pod_target("", "10.0.0.1:8000")});
    cluster.scrape({&server, pod_target("", "[fd00::1]:8000"), 15s, 9s});
    CHECK(outcome(cluster).queue("") == 3);
}

TEST_CASE("copies share what is known of one of them") {
    // Ports that values divide, each seen by two scrapers, of which one has seen little.
    Server one{.per_second = 1, .queue = 5};
    Server two{.per_second = 3, .queue = 7};
    Cluster cluster;
    for (const char* replica : {"a", "b"}) {
        const bool is_young = replica[0] == 'b';
        const ServerDuration from = is_young ? 10s : 1h;
        const Tags more = {{"prometheus_replica", replica}};
        cluster.scrape({&one, pod_target("p", "10.0.0.1:8000", more), 15s, 2s, 0s, from});
        cluster.scrape({&two, pod_target("p", "10.0.0.1:8001", more), 15s, 5s, 0s, from});
    }
    const Outcome result = outcome(cluster);
    CHECK(result.queue() == 12);
    CHECK(count_status(result, ProcessStatus::counted) == 2);
    CHECK(result.found.undecided.empty());
}

TEST_CASE("what is only likely does not join what is known to differ") {
    // One port of the pod on two hosts each, of which the values of the second say nothing yet.
    Server one{.per_second = 1, .queue = 5};
    Server two{.per_second = 3, .queue = 7, .engines = {"1"}};
    Cluster cluster;
    cluster.scrape({&one, pod_target("p", "10.0.0.1:8000")});
    cluster.scrape({&two, pod_target("p", "10.0.0.2:8000"), 15s, 5s});
    cluster.scrape({&one, pod_target("p", "[fd00::1]:8000"), 15s, 3s, 0s, 10s});
    const Outcome result = outcome(cluster);
    CHECK(result.queue() == 12);
    CHECK(count_status(result, ProcessStatus::counted) == 2);
}

TEST_CASE("evidence that contradicts itself is ambiguous") {
    Server one{.per_second = 1};
    Server two{.per_second = 3, .engines = {"1"}};
    Server both{.per_second = 1, .engines = {"0", "1"}};
    Cluster cluster;
    const auto target = [](const char* container) {
        return pod_target("p", "10.0.0.1:8000", {{"container", container}});
    };
    cluster.scrape({&one, target("a")});
    cluster.scrape({&two, target("b"), 15s, 5s});
    cluster.scrape({&both, target("c"), 15s, 9s});
    const Outcome result = outcome(cluster);
    CHECK(result.life() == "ambiguous");
    CHECK(has_evidence(result, "evidence that contradicts itself"));
    CHECK(result.warns_of("container (\"a\", \"b\")"));
    CHECK(result.warns_of("such as container=\"a\""));
}

TEST_CASE("it does not matter what nothing tells of predecessors") {
    Server old{.per_second = 0, .ended = 40s};
    Server young{.queue = 1, .started = 20s};
    Cluster cluster;
    cluster.scrape({&old, pod_target("p", "10.0.0.1:8000"), 5s, 2s, 0s, 1h, 39s});
    cluster.scrape({&old, pod_target("p", "10.0.0.1:8001"), 5s, 1s, 0s, 1h, 39s});
    cluster.scrape({&young, pod_target("p", "10.0.0.2:8000"), 5s, 2s, 0s, 20s});
    const Outcome result = outcome(cluster);
    CHECK(count_status(result, ProcessStatus::predecessor) == 2);
    CHECK(result.queue() == 1);
    CHECK(result.found.undecided.empty());
    CHECK(result.found.warnings.empty());
}

TEST_CASE("a pod of very many views is ambiguous, and not asked again") {
    Server server;
    const int count = GENERATE(32, 33);
    Cluster cluster;
    for (int i = 0; i < count; ++i)
        cluster.scrape({&server, pod_target("p", "10.0.0.1:8000", {{"job", std::to_string(i)}})});
    const Outcome result = outcome(cluster);
    CHECK(result.life() == (count == 32 ? "alive" : "ambiguous"));
    CHECK(result.found.undecided.empty());
    CHECK(result.warns_of("pod \"p\" has 33 sets of labels") == (count == 33));
}

TEST_CASE("one warning tells of all pods that have the same trouble") {
    std::vector<Server> servers(20, Server{.per_second = 0});
    Cluster cluster;
    for (int i = 0; i < 10; ++i) {
        const std::string pod = "p" + std::to_string(i);
        const std::string host = "10.0.0." + std::to_string(i);
        cluster.scrape({&servers[0], pod_target(pod, host + ":8000", {{"container", "x"}})});
        cluster.scrape(
            {&servers[1], pod_target(pod, host + ":8001", {{"container", "y"}}), 15s, 9s});
    }
    const Outcome result = outcome(cluster);
    CHECK(result.found.undecided.size() == 10);
    REQUIRE(result.found.warnings.size() == 1);
    CHECK(result.warns_of("pod \"p0\", pod \"p1\", pod \"p2\" and 7 more is seen several times"));
    CHECK(result.warns_of("such as container=\"x\""));
}

TEST_CASE("an undecided pod is named by each of its labels") {
    Server one{.per_second = 0};
    Server two{.per_second = 0};
    Cluster cluster;
    Tags other = pod_target("x", "10.0.0.1:8001");
    other["exported_pod"] = "p";
    cluster.scrape({&one, pod_target("p", "10.0.0.1:8000")});
    cluster.scrape({&two, other, 15s, 9s});
    CHECK(outcome(cluster).found.undecided ==
          std::vector<PodSelector>{{"exported_pod", "p"}, {"pod", "p"}});
}

TEST_CASE("texts of the cluster cannot break a warning") {
    Server server{.per_second = 0};
    Cluster cluster;
    const std::string evil = std::string("a\nb\x01") + std::string(5000, 'x') + "\xff";
    cluster.scrape({&server, pod_target(evil, "10.0.0.1:8000", {{"container", evil}})});
    cluster.scrape({&server, pod_target(evil, "10.0.0.1:8001", {{"container", "b"}}), 15s, 9s});
    const Outcome result = outcome(cluster);
    REQUIRE(result.found.warnings.size() == 1);
    CHECK(result.found.warnings[0].size() < 1500);
    CHECK(result.found.warnings[0].find_first_of("\n\x01\xff") == std::string::npos);
}

} // namespace wva_metrics::samples::simulated
