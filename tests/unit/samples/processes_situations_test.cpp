// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/samples/processes.hpp"

#include "unit/samples/simulated_cluster.hpp"

#include <catch2/catch_all.hpp>

namespace wva_metrics::samples::simulated {

using Catch::Matchers::WithinAbs;

namespace {

Store any_store() {
    return GENERATE(Store::prometheus, Store::victoria_metrics);
}

} // namespace

TEST_CASE("a pod that is scraped once has its own values") {
    const Store store = any_store();
    Server server;
    Cluster cluster;
    cluster.scrape({&server, pod_target("p", "10.0.0.1:8000")});
    const Outcome result = outcome(cluster, store);
    CHECK_THAT(result.per_minute(), WithinAbs(60, 0.5));
    CHECK(result.queue() == 3);
    CHECK(result.life() == "alive");
    CHECK(result.found.warnings.empty());
    CHECK(result.found.undecided.empty());
}

TEST_CASE("a pod that two jobs scrape counts once") {
    const Store store = any_store();
    Server server;
    Cluster cluster;
    cluster.scrape({&server, pod_target("p", "10.0.0.1:8000")});
    cluster.scrape({&server, pod_target("p", "10.0.0.1:8000", {{"job", "pods"}}), 15s, 9s});
    const Outcome result = outcome(cluster, store);
    CHECK_THAT(result.per_minute(), WithinAbs(60, 0.5));
    CHECK(result.queue() == 3);
    REQUIRE(result.found.processes.size() == 1);
    CHECK(result.found.processes[0].copies.size() == 2);
}

TEST_CASE("targets that differ in container or endpoint only count once") {
    const Store store = any_store();
    const std::string label = GENERATE("container", "endpoint", "port", "metrics_path", "service");
    Server server;
    Cluster cluster;
    cluster.scrape({&server, pod_target("p", "10.0.0.1:8000", {{label, "a"}})});
    cluster.scrape({&server, pod_target("p", "10.0.0.1:8000", {{label, "b"}}), 15s, 7s});
    const Outcome result = outcome(cluster, store);
    CHECK_THAT(result.per_minute(), WithinAbs(60, 0.5));
    CHECK(result.queue() == 3);
    CHECK(result.found.undecided.empty());
}

TEST_CASE("a pair of scrapers counts once, by the freshest") {
    const Store store = any_store();
    const ServerDuration behind = GENERATE(0s, 40s);
    Server server;
    Cluster cluster;
    const Tags a = pod_target("p", "10.0.0.1:8000", {{"prometheus_replica", "a"}});
    const Tags b = pod_target("p", "10.0.0.1:8000", {{"prometheus_replica", "b"}});
    cluster.scrape({&server, a, 15s, 4s});
    cluster.scrape({&server, b, 15s, 1s, behind});
    const Outcome result = outcome(cluster, store);
    CHECK_THAT(result.per_minute(), WithinAbs(60, 0.5));
    CHECK(result.queue() == 3);
    REQUIRE(result.pods.size() == 1);
    CHECK(result.pods[0].last_sample == now - (behind > 0s ? 4s : 1s));
}

TEST_CASE("two clusters in one store are ambiguous, and right when one is chosen") {
    const Store store = any_store();
    Server eu;
    Server us{.per_second = 2, .queue = 7};
    Cluster both;
    both.scrape({&eu, pod_target("p-0", "10.0.0.1:8000", {{"cluster", "eu"}})});
    both.scrape({&us, pod_target("p-0", "10.1.0.1:8000", {{"cluster", "us"}}), 15s, 9s});
    both.scrape({&us, pod_target("p-1", "10.1.0.2:8000", {{"cluster", "us"}}), 15s, 9s});
    const Outcome mixed = outcome(both, store);
    CHECK(mixed.found.has_cluster_conflict);
    CHECK(mixed.found.undecided.empty());
    CHECK(mixed.life("p-0") == "ambiguous");
    CHECK(mixed.life("p-1") == "ambiguous");
    REQUIRE(mixed.found.warnings.size() == 1);
    CHECK(mixed.warns_of("\"cluster\" with \"eu\" and \"us\" at the same time"));
    CHECK(mixed.warns_of("matchers, such as cluster=\"eu\""));

    Cluster one;
    one.scrape({&eu, pod_target("p-0", "10.0.0.1:8000", {{"cluster", "eu"}})});
    const Outcome chosen = outcome(one, store);
    CHECK_FALSE(chosen.found.has_cluster_conflict);
    CHECK_THAT(chosen.per_minute("p-0"), WithinAbs(60, 0.5));
    CHECK(chosen.pods.size() == 1);
}

TEST_CASE("a pod that came back elsewhere does not show its predecessor") {
    const Store store = any_store();
    // Just now, so that the old target has missed no scrape; or a while ago.
    const ServerDuration ago = GENERATE(20s, 40s);
    Server old{.queue = 40, .kv = 0.97, .ended = ago + 1s};
    Server young{.queue = 0, .kv = 0.01, .started = ago};
    Cluster cluster;
    cluster.scrape({&old, pod_target("p-0", "10.0.0.1:8000"), 15s, 4s, 0s, 1h, ago});
    cluster.scrape({&young, pod_target("p-0", "10.0.0.9:8000"), 15s, 2s, 0s, ago});
    const Outcome result = outcome(cluster, store);
    CHECK(result.queue("p-0") == 0);
    CHECK(result.kv("p-0") == 0.01);
    CHECK(result.life("p-0") == "alive");
    REQUIRE(result.pods.size() == 1);
    CHECK(result.pods[0].last_sample == now - 2s);
    CHECK(result.found.undecided.empty());
}

TEST_CASE("two servers in one pod are added up, by engine, values or identity") {
    const Store store = any_store();
    const std::string by = GENERATE("engines", "values", "identity");
    Server one{.per_second = 1, .queue = 5, .kv = 0.2};
    Server two{.per_second = 2, .queue = 7, .kv = 0.6, .started = 9min};
    if (by == "engines")
        two.engines = {"1"};
    if (by == "identity")
        two.per_second = one.per_second = 1.5;
    Cluster cluster;
    cluster.asks_identity = by == "identity";
    cluster.scrape({&one, pod_target("p", "10.0.0.1:8000")});
    cluster.scrape({&two, pod_target("p", "10.0.0.1:8001"), 15s, 9s});
    const Outcome result = outcome(cluster, store);
    CHECK_THAT(result.per_minute(), WithinAbs(180, 1.5));
    CHECK(result.queue() == 12);
    CHECK(result.kv() == 0.6);
    CHECK(result.found.undecided.empty());
    CHECK(result.found.warnings.empty());
}

TEST_CASE("two ports that nothing tells apart are undecided until the identity is asked") {
    const Store store = any_store();
    Server one{.per_second = 0, .queue = 5};
    Server two{.per_second = 0, .queue = 7};
    Cluster cluster;
    cluster.scrape({&one, pod_target("p", "10.0.0.1:8000")});
    cluster.scrape({&two, pod_target("p", "10.0.0.1:8001"), 15s, 9s});
    const Outcome result = outcome(cluster, store);
    CHECK(result.life() == "ambiguous");
    CHECK_FALSE(result.found.has_cluster_conflict);
    CHECK(result.found.undecided == std::vector<PodSelector>{{"pod", "p"}});
    CHECK(result.warns_of("pod \"p\""));
    CHECK(result.warns_of("instance (\"10.0.0.1:8000\", \"10.0.0.1:8001\")"));
    CHECK(result.warns_of("matchers"));

    two.started = 9min;
    Cluster again;
    again.asks_identity = true;
    again.scrape({&one, pod_target("p", "10.0.0.1:8000")});
    again.scrape({&two, pod_target("p", "10.0.0.1:8001"), 15s, 9s});
    CHECK(outcome(again, store).queue() == 12);
}

TEST_CASE("one of two pods ended: the other's values go on, by the time of the evaluation") {
    const Store store = any_store();
    Server lives;
    Server dies{.ended = 6s};
    Cluster cluster;
    cluster.scrape({&lives, pod_target("a", "10.0.0.1:8000")});
    cluster.scrape({&dies, pod_target("b", "10.0.0.2:8000"), 15s, 4s, 0s, 1h, 5s});
    const Outcome result = outcome(cluster, store);
    CHECK(result.time == now);
    CHECK(result.life("a") == "alive");
    CHECK(result.life("b") == "gone");
    CHECK_THAT(result.per_minute("a"), WithinAbs(60, 0.5));
}

TEST_CASE("a server that is too busy to answer is unread, not ended") {
    const Store store = any_store();
    Server server{.busy_since = 40s};
    Cluster cluster;
    cluster.scrape({&server, pod_target("p", "10.0.0.1:8000")});
    CHECK(outcome(cluster, store).life() == "unread");

    // Two servers of the pod without addresses of their own: the busy one is no predecessor.
    Server other{.started = 8min};
    Cluster two;
    two.asks_identity = true;
    const Tags first = pod_target("p", "", {{"port", "8000"}});
    const Tags second = pod_target("p", "", {{"port", "8001"}});
    two.scrape({&server, first});
    two.scrape({&other, second, 15s, 7s});
    const Outcome result = outcome(two, store);
    CHECK(result.life() == "part");
}

} // namespace wva_metrics::samples::simulated
