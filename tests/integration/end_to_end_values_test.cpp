// SPDX-License-Identifier: Apache-2.0
#include "support/blocking_collector.hpp"
#include "support/direct_values.hpp"
#include "support/pinned_time.hpp"
#include "support/watched_fleet.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test_support;

namespace {

/// What the library has to say of a whole fleet as of one moment.
struct Collected {
    Asked asked;
    std::vector<Result<OptimizerSnapshot>> variants;
    std::vector<Result<ReplicaSnapshot>> models;
};

Collected collect_all(WatchedFleet& watched, const std::vector<FleetModel>& models) {
    const double moment = watched.settled_moment();
    const PinnedTime pinned(watched.prometheus().port(), moment);
    BlockingCollector collector(PrometheusConfig::at(pinned.url()));
    std::vector<VariantAutoscaling> variants;
    std::vector<ModelKey> keys;
    for (const FleetModel& model : models) {
        keys.push_back(model.key);
        for (const FleetDeployment& deployment : model.deployments)
            variants.push_back(deployment.variant);
    }
    Collected collected;
    collected.asked.time = moment;
    collected.asked.before = std::chrono::steady_clock::now();
    collected.variants = collector.collect(variants);
    collected.models = collector.collect(keys, variants);
    collected.asked.after = std::chrono::steady_clock::now();
    return collected;
}

} // namespace

TEST_CASE("every value of a small fleet is what a direct query gives at the same moment") {
    WVA_METRICS_NEEDS_FLEET_AND_PROMETHEUS();
    WatchedFleet watched({"--models", "5", "--variants", "2", "--engines", "2"});
    // So that there is a queue.
    watched.fleet().control({{"load", "*"}, {"factor", "3"}});
    watched.wait_for_rates();
    watched.wait_for("sum(vllm:num_requests_waiting)");
    const std::vector<FleetModel> models = watched.fleet().models();
    const Collected collected = collect_all(watched, models);

    const DirectValues direct(watched, collected.asked);
    REQUIRE(collected.variants.size() == 10);
    int values = 0;
    for (const Result<OptimizerSnapshot>& variant : collected.variants) {
        CHECK(variant->freshness() == Freshness::fresh);
        values += direct.check(**variant);
    }
    CHECK(values == 50);

    REQUIRE(collected.models.size() == 5);
    std::vector<std::string> pods;
    for (std::size_t i = 0; i < models.size(); ++i) {
        const ModelReplicas& replicas = **collected.models[i];
        CHECK(collected.models[i]->freshness() == Freshness::fresh);
        CHECK(replicas.model == models[i].key);
        CHECK(replicas.unattributed_pods.empty());
        CHECK(replicas.gone_pods.empty());
        CHECK(replicas.warnings.empty());
        CHECK(replicas.replicas.size() == 4);
        for (const ReplicaMetrics& replica : replicas.replicas) {
            CHECK(direct.check(replica) == 2);
            // Everybody's pods, under the variant that the fleet says, once each.
            const auto owner =
                std::ranges::find_if(models[i].deployments, [&](const FleetDeployment& it) {
                    return std::ranges::count(it.pods, replica.pod) == 1;
                });
            REQUIRE(owner != models[i].deployments.end());
            CHECK(replica.variant == owner->variant.name);
            CHECK(replica.accelerator == owner->variant.accelerator);
            CHECK(replica.cost == owner->variant.cost);
            pods.push_back(replica.pod);
        }
    }
    std::ranges::sort(pods);
    CHECK(std::ranges::adjacent_find(pods) == pods.end());
    CHECK(pods.size() == 20);
}
