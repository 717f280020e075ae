// SPDX-License-Identifier: Apache-2.0
//
// One process whose labels, address or scraper changed while it went on.
#include "wva_metrics/samples/processes.hpp"

#include "unit/samples/simulated_cluster.hpp"

#include <catch2/catch_all.hpp>

#include <string>
#include <vector>

namespace wva_metrics::samples::simulated {

using Catch::Matchers::WithinAbs;

namespace {

/// How the labels of a target changed while it was scraped.
struct Relabelled {
    std::string by;
    Tags before;
    Tags after;
};

std::vector<Relabelled> relabellings() {
    const auto target = [](Tags more) { return pod_target("p", "10.0.0.1:8000", std::move(more)); };
    return {
        {"a pipeline that was updated", target({{"otel_scope_version", "0.1"}}),
         target({{"otel_scope_version", "0.2"}})},
        {"a chart's version on the pod", target({{"helm_sh_chart", "a-1"}}),
         target({{"helm_sh_chart", "a-2"}})},
        {"a new label", target({}), target({{"team", "search"}})},
        {"a label that was dropped", target({{"pod_template_hash", "7d9f"}}), target({})},
        {"another job", target({}), target({{"job", "pods"}})},
        {"another kind of monitor", target({{"container", "vllm"}}),
         target({{"job", "llm/pods"}, {"endpoint", "http"}, {"service", ""}})},
        {"an address by name", target({}), target({{"instance", "p:metrics"}})},
        {"the node as address", target({}), target({{"instance", "node-7"}})},
        {"a cluster's name", target({}), target({{"cluster", "eu"}})},
        {"another replica of Prometheus", target({{"prometheus_replica", "a"}}),
         target({{"prometheus_replica", "b"}})},
        {"the honoured pod", pod_target("p", "10.0.0.1:8000", {{"exported_pod", ""}}),
         pod_target("exporter", "10.0.0.1:8000", {{"exported_pod", "p"}})},
    };
}

} // namespace

TEST_CASE("a process whose labels change while it is scraped stays one, with its rate") {
    const Store store = GENERATE(Store::prometheus, Store::victoria_metrics);
    const bool asks_identity = GENERATE(false, true);
    const ServerDuration since = GENERATE(50s, 35s, 20s);
    for (const Relabelled& change : relabellings()) {
        CAPTURE(change.by, since.count(), asks_identity);
        Server server;
        Cluster cluster;
        cluster.asks_identity = asks_identity;
        cluster.scrape({&server, change.before, 15s, 2s, 0s, 1h, since});
        cluster.scrape({&server, change.after, 15s, 2s, 0s, since});
        const Outcome result = outcome(cluster, store);
        CHECK_THAT(result.per_minute(), WithinAbs(60, 3));
        CHECK(result.queue() == 3);
        CHECK(result.kv() == 0.5);
        CHECK(result.life() == "alive");
        CHECK(result.pods.size() == 1);
        CHECK(result.found.undecided.empty());
    }
}

TEST_CASE("a target whose interval was changed has its rate") {
    const Store store = GENERATE(Store::prometheus, Store::victoria_metrics);
    Server server;
    Cluster cluster;
    const Tags labels = pod_target("p", "10.0.0.1:8000");
    const ServerDuration since = GENERATE(40s, 20s);
    const ServerDuration before = GENERATE(5s, 10s);
    cluster.scrape({&server, labels, before, 2s, 0s, 1h, since});
    cluster.scrape({&server, labels, 15s, 2s, 0s, since});
    for (std::size_t i = cluster.series().size() / 2; i < cluster.series().size(); ++i) {
        SentSeries& early = cluster.series()[i - cluster.series().size() / 2];
        std::erase_if(early.samples, [](const Sample& sample) { return std::isnan(sample.value); });
        SentSeries& late = cluster.series()[i];
        late.samples.insert(late.samples.begin(), early.samples.begin(), early.samples.end());
    }
    cluster.series().erase(cluster.series().begin(),
                           cluster.series().begin() +
                               static_cast<std::ptrdiff_t>(cluster.series().size() / 2));
    const Outcome result = outcome(cluster, store);
    CHECK_THAT(result.per_minute(), WithinAbs(60, 3));
    CHECK(result.life() == "alive");
}

} // namespace wva_metrics::samples::simulated
