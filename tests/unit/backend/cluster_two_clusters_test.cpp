// SPDX-License-Identifier: Apache-2.0
#include "cluster_fixture.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <string>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test_support;
using Catch::Matchers::WithinRel;

namespace {

/// Two clusters with the same names in one store.
struct TwoClusters : ClusterFixture {
    TwoClusters() {
        const Labels ours = {{"cluster", "eu"}};
        const Labels others = {{"cluster", "us"}};
        const ScrapedServer eu;
        const ScrapedServer us{.per_second = 2, .queue = ScrapedServer::always(7)};
        scrape(eu, target("llama-0", "10.0.0.1:8000", ours));
        scrape(us, target("llama-0", "10.1.0.1:8000", others), {.age = 9s});
        scrape(us, target("llama-1", "10.1.0.2:8000", others), {.age = 9s});
        report_pod("llama-0", ours);
        report_pod("llama-0", others);
        report_pod("llama-1", others);
        // A pod of the other cluster that was deleted, and of which ours knows nothing.
        scrape({.ended = noon - 20s}, target("llama-2", "10.1.0.3:8000", others),
               {.age = 9s, .removed = noon - 20s});
        report_pod("llama-2", others, noon - 70s);
        set.target_kind = "StatefulSet";
    }

    VariantAutoscaling set = variant_of("llama");
};

} // namespace

TEST_CASE_METHOD(TwoClusters, "two clusters in one store are ambiguous, with a warning") {
    const ReplicaSamples samples = pods();
    CHECK(samples.pods.size() >= 2);
    for (const ReplicaSample& pod : samples.pods) {
        CHECK(is_missing(pod.kv_cache_usage, ReadingReason::ambiguous));
        CHECK(is_missing(pod.queue_length, ReadingReason::ambiguous));
    }
    for (const std::string text : {"cluster", "\"eu\"", "\"us\"", "matchers"})
        CHECK(warns_of(samples.warnings, text));
    const OptimizerMetrics metrics = load(set);
    CHECK(is_missing(metrics.arrival_rate_per_minute, ReadingReason::ambiguous));
    CHECK(is_missing(metrics.ttft_seconds, ReadingReason::ambiguous));
    CHECK(metrics.partial);
    CHECK(metrics.coverage.counted == 0);
}

TEST_CASE_METHOD(TwoClusters, "matchers choose one of two clusters, also for kube-state-metrics") {
    config.matchers = {{"cluster", promql::MatchOperator::equal, "eu"}};
    config.kube_state_matchers = config.matchers;
    const ReplicaSamples samples = pods();
    REQUIRE(pod_names(samples) == std::vector<std::string>{"llama-0"});
    CHECK(samples.pods[0].queue_length.value() == 3);
    CHECK(samples.pods[0].state == PodState::ready);
    CHECK(samples.gone_pods.empty());
    CHECK(samples.warnings.empty());
    const OptimizerMetrics metrics = load(set);
    CHECK_THAT(metrics.arrival_rate_per_minute.value(), WithinRel(60.0, 1e-6));
    CHECK_FALSE(metrics.partial);
    CHECK(metrics.coverage == cover(1, {}));
}
