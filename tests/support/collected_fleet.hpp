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

/// The library's results for models and their variants at one time.
struct CollectedFleet {
    CollectionTime when;
    /// For all deployments of the first model, then of the second, and so on.
    std::vector<Result<OptimizerSnapshot>> variants;
    /// In the order of the models.
    std::vector<Result<ReplicaSnapshot>> models;
};

/// Collects all of them once, at the next time for which Prometheus has stored all samples.
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
    collected.when.time = watched.settled_moment();
    const PinnedTime pinned(watched.prometheus().port(), collected.when.time);
    BlockingCollector collector(patient(PrometheusConfig::at(pinned.url())),
                                patient(without_cache()));
    collected.when.before = std::chrono::steady_clock::now();
    collected.variants = collector.collect(variants);
    collected.models = collector.collect(keys, of_models);
    collected.when.after = std::chrono::steady_clock::now();
    return collected;
}

/// Checks that all results are equal to those of direct queries, for a fleet without faults.
/// Returns the number of values.
inline int check_all(const WatchedFleet& watched, const CollectedFleet& collected,
                     const ServerNames& names = {}) {
    const DirectValues direct(watched, collected.when, names);
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

/// Checks that a model's replicas are exactly the living pods of the fleet, each once and with the
/// deployment that owns it.
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
