// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "blocking_collector.hpp"
#include "direct_values.hpp"
#include "pinned_time.hpp"
#include "watched_fleet.hpp"

#include <algorithm>
#include <chrono>
#include <span>
#include <string>
#include <tuple>
#include <vector>

namespace wva_metrics::test_support {

/// What the library has to say of models and their variants as of one moment.
struct CollectedFleet {
    Asked asked;
    /// Of all deployments of the first model, then of the second, and so on.
    std::vector<Result<OptimizerSnapshot>> variants;
    /// In the order of the models.
    std::vector<Result<ReplicaSnapshot>> models;
};

/// Asks once about all of them, as of the next moment about which Prometheus knows everything.
inline CollectedFleet collect_at_one_moment(WatchedFleet& watched,
                                            std::span<const FleetModel> models) {
    std::vector<ModelKey> keys;
    std::vector<VariantAutoscaling> variants;
    std::vector<std::vector<VariantAutoscaling>> of_models;
    for (const FleetModel& model : models) {
        keys.push_back(model.key);
        of_models.push_back(model.variants());
        variants.insert(variants.end(), of_models.back().begin(), of_models.back().end());
    }
    CollectedFleet collected;
    collected.asked.time = watched.settled_moment();
    const PinnedTime pinned(watched.prometheus().port(), collected.asked.time);
    BlockingCollector collector(patient(PrometheusConfig::at(pinned.url())),
                                patient(without_cache()));
    collected.asked.before = std::chrono::steady_clock::now();
    collected.variants = collector.collect(variants);
    collected.models = collector.collect(keys, of_models);
    collected.asked.after = std::chrono::steady_clock::now();
    return collected;
}

/// Requires everything that was collected, where there is nothing wrong in the fleet, to be what
/// direct queries give. Returns the number of values.
inline int check_all(const WatchedFleet& watched, const CollectedFleet& collected,
                     const ServerNames& names = {}) {
    const DirectValues direct(watched, collected.asked, names);
    int values = 0;
    for (const Result<OptimizerSnapshot>& variant : collected.variants) {
        INFO((variant ? "" : variant.error().describe()));
        REQUIRE(variant.has_value());
        CHECK(variant->freshness() == Freshness::fresh);
        CHECK(variant->source() == Source::backend);
        values += direct.check(**variant);
    }
    for (const Result<ReplicaSnapshot>& model : collected.models) {
        INFO((model ? "" : model.error().describe()));
        REQUIRE(model.has_value());
        CHECK(model->freshness() == Freshness::fresh);
        CHECK(model->source() == Source::backend);
        CHECK_FALSE((*model)->partial);
        CHECK((*model)->warnings.empty());
        for (const ReplicaMetrics& replica : (*model)->replicas)
            values += direct.check(replica);
    }
    return values;
}

/// Requires a model's replicas to be the pods that live in the fleet, each once and under the
/// deployment that owns it, and no others.
inline void check_owners(const FleetModel& model, const ModelReplicas& collected) {
    INFO("model " << model.key.model_id << " in " << model.key.namespace_name);
    CHECK(collected.model == model.key);
    CHECK(collected.unattributed_pods.empty());
    CHECK(collected.gone_pods.empty());
    using Row = std::tuple<std::string, std::string, std::string, double>;
    std::vector<Row> expected;
    for (const FleetDeployment& deployment : model.deployments)
        for (const std::string& pod : deployment.pods)
            expected.emplace_back(deployment.variant.name, pod, deployment.variant.accelerator,
                                  deployment.variant.cost);
    std::ranges::sort(expected);
    std::vector<Row> found;
    for (const ReplicaMetrics& replica : collected.replicas)
        found.emplace_back(replica.variant, replica.pod, replica.accelerator, replica.cost);
    CHECK(found == expected);
}

} // namespace wva_metrics::test_support
