// SPDX-License-Identifier: Apache-2.0
#include "support/collected_fleet.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test_support;

namespace {

/// Collects one model's metrics, without a cache.
class Watcher {
public:
    Watcher(const WatchedFleet& watched, FleetModel model)
        : Watcher(watched.config(), std::move(model)) {}
    Watcher(PrometheusConfig config, FleetModel model)
        : collector_(std::move(config)), model_(std::move(model)) {}

    ModelReplicas replicas() {
        const Result<ReplicaSnapshot> collected = collector_.collect(model_.key, model_.variants());
        REQUIRE(collected.has_value());
        return **collected;
    }
    OptimizerMetrics metrics() {
        const Result<OptimizerSnapshot> collected =
            collector_.collect(model_.deployments.at(0).variant);
        REQUIRE(collected.has_value());
        return **collected;
    }
    std::vector<std::string> pods() {
        std::vector<std::string> names;
        for (const ReplicaMetrics& replica : replicas().replicas)
            names.push_back(replica.pod);
        return names;
    }
    std::vector<std::string> gone() { return replicas().gone_pods; }

private:
    BlockingCollector<> collector_;
    FleetModel model_;
};

std::vector<std::string> sorted(std::vector<std::string> names) {
    std::ranges::sort(names);
    return names;
}

} // namespace

TEST_CASE("metrics are found under the names of each version of the servers") {
    WVA_METRICS_NEEDS_FLEET_AND_PROMETHEUS();
    // With several engines, even the oldest version has the label "engine".
    WatchedFleet watched({"--models", "1", "--engines", "2", "--control", "names=v0.8"});
    const std::vector<FleetModel> models = watched.fleet().models();
    constexpr int all_values = 5 + 2 * 2;

    watched.wait_for_requests();
    CHECK(check_all(watched, collect_at_one_moment(watched, models),
                    {.itl = "vllm:time_per_output_token_seconds",
                     .kv_cache_usage = "vllm:gpu_cache_usage_perc"}) == all_values);

    watched.fleet().control({{"names", "v0.10"}});
    watched.wait_for("count(vllm:kv_cache_usage_perc)");
    CHECK(check_all(watched, collect_at_one_moment(watched, models),
                    {.itl = "vllm:time_per_output_token_seconds",
                     .kv_cache_usage = "vllm:kv_cache_usage_perc"}) == all_values);

    watched.fleet().control({{"names", "current"}});
    watched.wait_for("60 * min(rate(vllm:inter_token_latency_seconds_count[1m])) > 0.5");
    CHECK(check_all(watched, collect_at_one_moment(watched, models)) == all_values);
}

TEST_CASE("an absent metric is missing, NaN is invalid, and only no load is 0") {
    WVA_METRICS_NEEDS_FLEET_AND_PROMETHEUS();
    WatchedFleet watched({"--model", "busy", "--model", "idle", "--warm-up", "0", //
                          "--control", "load=idle&factor=0",                      //
                          "--control", "drop=vllm:num_requests_waiting",          //
                          "--control", "drop=vllm:time_to_first_token_seconds",   //
                          "--control", "nan=vllm:kv_cache_usage_perc",            //
                          "--control", "nan=vllm:request_prompt_tokens"});
    watched.wait_for(
        "60 * sum(rate(vllm:request_success_total[1m])) > 0.5 and "
        "count(rate(vllm:inter_token_latency_seconds_count{model_name=\"idle\"}[1m]))");
    const std::vector<FleetModel> models = watched.fleet().models();
    Watcher busy(watched, models.at(0));
    Watcher idle(watched, models.at(1));

    const OptimizerMetrics some = busy.metrics();
    CHECK(some.arrival_rate_per_minute.value() > 0);
    CHECK(some.avg_output_tokens.value() > 0);
    CHECK(some.itl_seconds.value() > 0);
    CHECK(some.avg_input_tokens.state() == ReadingState::invalid);
    CHECK(some.avg_input_tokens.reason() == ReadingReason::not_finite);
    CHECK(some.ttft_seconds.state() == ReadingState::missing);
    CHECK(some.ttft_seconds.reason() == ReadingReason::no_series);
    const ModelReplicas replicas = busy.replicas();
    CHECK(replicas.replicas.size() == 2);
    for (const ReplicaMetrics& replica : replicas.replicas) {
        CHECK(replica.kv_cache_usage.state() == ReadingState::invalid);
        CHECK(replica.queue_length.state() == ReadingState::missing);
        CHECK(replica.queue_length.reason() == ReadingReason::no_series);
    }

    const OptimizerMetrics none = idle.metrics();
    CHECK(none.arrival_rate_per_minute.value() == 0);
    CHECK(none.avg_output_tokens.state() == ReadingState::missing);
    CHECK(none.avg_output_tokens.reason() == ReadingReason::no_requests);
    CHECK(none.itl_seconds.reason() == ReadingReason::no_requests);

    watched.fleet().control({{"undrop", "*"}});
    watched.fleet().control({{"unnan", "*"}});
    CHECK(eventually([&] {
        const ModelReplicas back = idle.replicas();
        return back.replicas.size() == 2 && back.replicas[0].queue_length.value_or(1) == 0 &&
               back.replicas[0].kv_cache_usage.value_or(1) == 0;
    }));
}

TEST_CASE("replicas follow the pods, even if series of deleted pods remain") {
    WVA_METRICS_NEEDS_FLEET_AND_PROMETHEUS();
    WatchedFleet watched({"--models", "2"});
    watched.wait_for_requests();
    const std::vector<FleetModel> models = watched.fleet().models();
    const std::string scaled = models.at(0).deployments.at(0).variant.deployment;
    const std::string killed = models.at(1).deployments.at(0).variant.deployment;
    const std::vector<std::string> both = sorted(models.at(1).pods());

    Watcher first(watched, models.at(0));
    for (const char* replicas : {"4", "1"}) {
        watched.fleet().control({{"scale", scaled}, {"replicas", replicas}});
        const std::vector<std::string> wanted = sorted(watched.fleet().models().at(0).pods());
        REQUIRE(wanted.size() == std::stoul(replicas));
        CHECK(eventually([&] { return first.pods() == wanted; }));
    }
    CHECK(first.gone().size() == 3);

    // The pod is missing in kube-state-metrics but still scraped, as while one of several
    // kube-state-metrics restarts. The long window keeps the samples on a slow machine.
    PrometheusConfig config = watched.config();
    config.windows.peak = std::chrono::minutes(10);
    Watcher second(config, models.at(1));
    REQUIRE(second.pods() == both);
    watched.fleet().control({{"kill", both[0]}, {"keep_series", "1"}});
    const std::string info = "kube_pod_info{pod=" + literal(both[0]) + "}";
    watched.wait_for("count(last_over_time(" + info + "[10m]) unless " + info + ")");
    CHECK(second.pods() == both);
    CHECK(second.gone().empty());
    watched.fleet().control({{"kill", both[1]}});
    CHECK(eventually([&] { return second.gone() == std::vector{both[1]}; }));
    CHECK(second.pods() == std::vector{both[0]});
    watched.fleet().control({{"kill_deployment", killed}});
    CHECK(eventually([&] { return second.gone() == both; }));
    CHECK(second.pods().empty());
    CHECK(second.replicas().unattributed_pods.empty());

    // Without kube-state-metrics no pod counts as gone, and the owner is found by the pod's name.
    watched.fleet().control({{"drop_kube", "1"}});
    CHECK(eventually([&] { return second.pods() == both; }));
    CHECK(second.gone().empty());
    CHECK(second.replicas().unattributed_pods.empty());
}
