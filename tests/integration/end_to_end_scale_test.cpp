// SPDX-License-Identifier: Apache-2.0
#include "support/collected_fleet.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <cstddef>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test_support;

namespace {

bool is_complete(const OptimizerMetrics& metrics) {
    return metrics.arrival_rate_per_minute && metrics.avg_input_tokens &&
           metrics.avg_output_tokens && metrics.ttft_seconds && metrics.itl_seconds;
}

bool is_complete(const ModelReplicas& model) {
    if (model.replicas.size() != 2)
        return false;
    for (const ReplicaMetrics& replica : model.replicas)
        if (!replica.kv_cache_usage || !replica.queue_length)
            return false;
    return true;
}

/// Checks the requests and results of one background round over the whole fleet.
void check_few_requests(WatchedFleet& watched, const std::vector<FleetModel>& models) {
    CollectorConfig config;
    config.cache.fetch_interval = std::chrono::seconds(1);
    BlockingCollector collector(patient(watched.config()), patient(config));
    for (const FleetModel& model : models) {
        collector->track(model.key);
        collector->track(model.deployments[0].variant);
    }

    const double before = watched.prometheus().query_count();
    REQUIRE(collector->start_background_fetching());
    REQUIRE(eventually([&] { return collector->stats().targets > 0; }));
    collector->stop_background_fetching(); // The current round continues; no other one begins.
    REQUIRE(eventually([&] { return collector->stats().background_rounds > 0; }));
    const double queries = watched.prometheus().query_count() - before;

    const CollectorStats stats = collector->stats();
    CHECK(stats.background_rounds == 1);
    CHECK(stats.targets == 2 * models.size());
    CHECK(stats.failed_targets == 0);
    CHECK(queries >= 1);
    CHECK(queries <= 20);

    // After these few queries, all values are known.
    std::size_t known = 0;
    for (const FleetModel& model : models) {
        const auto metrics = collector->find_optimizer_metrics(model.deployments[0].variant.key());
        const auto replicas = collector->find_replica_metrics(model.key, model.variants());
        if (metrics && is_complete(**metrics) && replicas && is_complete(**replicas))
            ++known;
    }
    CHECK(known == models.size());
}

void check_exact_values(WatchedFleet& watched, const std::vector<FleetModel>& models) {
    CollectedFleet all = collect_at_one_moment(watched, models);
    CollectedFleet sample{all.when, {}, {}};
    std::size_t complete = 0;
    for (std::size_t i = 0; i < models.size(); ++i) {
        INFO((all.variants[i] ? "" : all.variants[i].error().describe()));
        INFO((all.models[i] ? "" : all.models[i].error().describe()));
        REQUIRE(all.variants[i].has_value());
        REQUIRE(all.models[i].has_value());
        CHECK((*all.variants[i])->variant == models[i].deployments[0].variant.name);
        check_owners(models[i], **all.models[i]);
        if (is_complete(**all.variants[i]) && is_complete(**all.models[i]))
            ++complete;
        // Every twentieth model, at varying positions, because the kinds of models repeat.
        if (i % 20 == i / 20 % 20) {
            sample.variants.push_back(all.variants[i]);
            sample.models.push_back(all.models[i]);
        }
    }
    CHECK(complete == models.size());
    REQUIRE(sample.models.size() == 50);
    CHECK(check_all(watched, sample) == 50 * (5 + 2 * 2));
}

} // namespace

TEST_CASE("a thousand models are collected in few requests, with the same exact values") {
    WVA_METRICS_NEEDS_FLEET_AND_PROMETHEUS();
    WatchedFleet watched({"--models", "1000"}, "2s");
    const std::vector<FleetModel> models = watched.fleet().models();
    REQUIRE(models.size() == 1000);
    watched.wait_for_requests();
    check_few_requests(watched, models);
    check_exact_values(watched, models);
}
