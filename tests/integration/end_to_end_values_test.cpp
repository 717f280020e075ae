// SPDX-License-Identifier: Apache-2.0
#include "support/collected_fleet.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test_support;

namespace {

/// Data parallel engines of one pod: their queues are added, and the highest KV cache usage counts.
void check_engines(const WatchedFleet& watched, const CollectedFleet& collected,
                   const ReplicaMetrics& replica) {
    const auto of_engine = [&](const char* metric, const char* engine) {
        return watched.must_query("max_over_time(" + std::string(metric) +
                                      "{pod=" + literal(replica.pod) +
                                      ",engine=" + literal(engine) + "}[1m])",
                                  collected.when.time);
    };
    INFO("replica " << replica.pod);
    const double first = of_engine("vllm:num_requests_waiting", "0");
    const double second = of_engine("vllm:num_requests_waiting", "1");
    REQUIRE(first > 0);
    REQUIRE(second > 0);
    CHECK(replica.queue_length.value() == first + second);
    CHECK(replica.kv_cache_usage.value() == std::max(of_engine("vllm:kv_cache_usage_perc", "0"),
                                                     of_engine("vllm:kv_cache_usage_perc", "1")));
}

} // namespace

TEST_CASE("every value of a small fleet is equal to that of a direct query at the same time") {
    WVA_METRICS_NEEDS_FLEET_AND_PROMETHEUS();
    WatchedFleet watched({"--models", "5", "--variants", "2", "--engines", "2", "--period", "20"});
    // The load is so high that every pod has a queue at its peak.
    watched.fleet().control({{"load", "*"}, {"factor", "3"}});
    watched.wait_for_requests();
    watched.wait_for("min(max_over_time(vllm:num_requests_waiting[1m]))");
    const std::vector<FleetModel> models = watched.fleet().models();
    const CollectedFleet collected = collect_at_one_moment(watched, models);

    REQUIRE(collected.variants.size() == 10);
    REQUIRE(collected.models.size() == 5);
    // Five values per variant, and two for each of its two pods.
    CHECK(check_all(watched, collected) == 10 * (5 + 2 * 2));
    for (std::size_t i = 0; i < models.size(); ++i) {
        check_owners(models[i], **collected.models[i]);
        for (const ReplicaMetrics& replica : (*collected.models[i])->replicas)
            check_engines(watched, collected, replica);
    }
}
