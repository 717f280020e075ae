// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/samples/cluster_conflict.hpp"

#include "unit/samples/simulated_cluster.hpp"

#include <catch2/catch_all.hpp>

#include <string>

namespace wva_metrics::samples::simulated {

namespace {

Tags of_cluster(const std::string& value, int pod, const std::string& label = "cluster") {
    return pod_target("p" + std::to_string(pod),
                      "10." + std::to_string(value.size()) + ".0." + std::to_string(pod) + ":8000",
                      {{label, value}});
}

} // namespace

TEST_CASE("each label that names clusters or tenants is watched, and no other") {
    Server server;
    const auto has_conflict = [&](const std::string& label) {
        Cluster cluster;
        cluster.scrape({&server, of_cluster("a", 0, label)});
        cluster.scrape({&server, of_cluster("bb", 1, label), 15s, 9s});
        return outcome(cluster).found.has_cluster_conflict;
    };
    for (const std::string& label : SampleRules{}.boundary)
        CHECK(has_conflict(label));
    for (const char* label : {"zone", "region", "location", "env", "job", "lane"})
        CHECK_FALSE(has_conflict(label));
}

TEST_CASE("a missing value is no other cluster") {
    Server server;
    Cluster cluster;
    cluster.scrape({&server, of_cluster("a", 0)});
    cluster.scrape({&server, of_cluster("", 1), 15s, 9s});
    CHECK_FALSE(outcome(cluster).found.has_cluster_conflict);
}

TEST_CASE("a cluster that was renamed is one") {
    Server server;
    Cluster cluster;
    for (const int pod : {0, 1}) {
        cluster.scrape({&server, of_cluster("old", pod), 15s, 2s, 0s, 1h, 30s});
        cluster.scrape({&server, of_cluster("new", pod), 15s, 2s, 0s, 29s});
    }
    const Outcome result = outcome(cluster);
    CHECK_FALSE(result.found.has_cluster_conflict);
    CHECK(result.queue("p0") == 3);
    CHECK(result.queue("p1") == 3);
}

TEST_CASE("copies of one process under two names are no conflict, unless one has no copy") {
    Server server;
    Server other{.started = 9min};
    const bool asks_identity = GENERATE(true, false);
    // Long enough alive to be proven by values.
    if (!asks_identity)
        server = other = {.per_second = 50, .started = 100min};
    other.per_second *= 2;
    Cluster cluster;
    cluster.asks_identity = asks_identity;
    for (const char* name : {"a", "b", "c"}) {
        cluster.scrape({&server, of_cluster(name, 0), 15s, 2s});
        cluster.scrape({&other, of_cluster(name, 1), 15s, 2s});
    }
    CHECK_FALSE(outcome(cluster).found.has_cluster_conflict);
    CHECK(outcome(cluster).queue("p0") == 3);

    for (const char* name : {"a", "b", "c"}) {
        Cluster more = cluster;
        more.scrape({&other, of_cluster(name, 2), 15s, 2s});
        CHECK(outcome(more).found.has_cluster_conflict);
    }
}

TEST_CASE("neither of two clusters may have a pod that the other lacks") {
    Server server;
    for (const char* larger : {"a", "b"}) {
        Cluster cluster;
        cluster.asks_identity = true;
        for (const char* name : {"a", "b"})
            cluster.scrape({&server, of_cluster(name, 0)});
        CHECK_FALSE(outcome(cluster).found.has_cluster_conflict);
        cluster.scrape({&server, of_cluster(larger, 1)});
        CHECK(outcome(cluster).found.has_cluster_conflict);
    }
}

TEST_CASE("a warning names a few of many clusters") {
    Server server;
    Cluster cluster;
    for (int i = 0; i < 50; ++i)
        cluster.scrape({&server, of_cluster("c" + std::to_string(100 + i), i)});
    const Outcome result = outcome(cluster);
    REQUIRE(result.found.warnings.size() == 1);
    CHECK(result.warns_of("\"c100\", \"c101\", \"c102\" and 47 more"));
    CHECK(result.found.processes.size() == 50);
    CHECK(result.found.processes[0].evidence ==
          std::vector<std::string>{"several values of the label cluster"});
}

} // namespace wva_metrics::samples::simulated
