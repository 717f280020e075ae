// SPDX-License-Identifier: Apache-2.0
#include "batch_fixture.hpp"
#include "cluster_fixture.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <string>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test_support;

namespace {

/// Two pods with two idle servers each, which only their identity tells apart. The second pod is
/// named by another label, so that two queries ask for more samples.
struct UndecidedPods : ClusterFixture {
    UndecidedPods() {
        const ScrapedServer one{.per_second = 0, .queue = ScrapedServer::always(5)};
        const ScrapedServer two{
            .per_second = 0, .queue = ScrapedServer::always(7), .started = noon - 50min};
        const Labels renamed = {{"pod", "exporter"}, {"exported_pod", pod_b}};
        scrape(one, target(pod_a, "10.0.0.1:8000"));
        scrape(two, target(pod_a, "10.0.0.1:8001"), {.age = 9s});
        scrape(one, target(pod_b, "10.0.0.2:8000", renamed));
        scrape(two, target(pod_b, "10.0.0.2:8001", renamed), {.age = 9s});
    }
    void check_first_is_decided() {
        for (int round = 0; round < 2; ++round) {
            const ReplicaSamples samples = pods();
            REQUIRE(pod_names(samples) == std::vector{pod_a, pod_b});
            CHECK(samples.pods[0].queue_length.value() == 12);
            CHECK(is_missing(samples.pods[1].queue_length, ReadingReason::ambiguous));
        }
    }
    const std::string second_query = "exported_pod=\"" + pod_b;
};

} // namespace

TEST_CASE_METHOD(UndecidedPods, "pods that different labels name are decided alike") {
    const ReplicaSamples samples = pods();
    REQUIRE(pod_names(samples) == std::vector{pod_a, pod_b});
    CHECK(samples.pods[0].queue_length.value() == 12);
    CHECK(samples.pods[1].queue_length.value() == 12);
}

TEST_CASE_METHOD(UndecidedPods, "a query for more samples that fails leaves the others' answers") {
    fake.fail_next_containing(second_query, 1, 422, api_error("execution", "no"));
    check_first_is_decided();
}

TEST_CASE_METHOD(UndecidedPods, "an answer that may lack samples decides nothing") {
    fake.fail_next_containing(second_query, 1, 200,
                              R"({"status":"success","warnings":["a store did not answer"],)"
                              R"("data":{"resultType":"matrix","result":[]}})");
    check_first_is_decided();
}

TEST_CASE_METHOD(ClusterFixture, "a pod that is scraped rarely is there before its next scrape") {
    if (is_victoria_metrics())
        return; // It is not asked what lives.
    scrape(ScrapedServer{}, target(pod_a, "10.0.0.1:8000"));
    for (int round = 0; round < 2; ++round)
        CHECK(pod_names(pods()) == std::vector{pod_a});
    scrape(ScrapedServer{}, target(pod_b, "10.0.0.2:8000"), {.age = 100s, .spacing = 120s});
    const ReplicaSamples first = pods();
    REQUIRE(pod_names(first) == std::vector{pod_a, pod_b});
    CHECK(is_missing(first.pods[1].queue_length, ReadingReason::window_too_short));
    // The next round looks further back, and so do those after it.
    for (int round = 0; round < 2; ++round)
        CHECK(pods().pods.at(1).queue_length.value() == 3);
}

TEST_CASE_METHOD(ClusterFixture, "a pod whose series end without a marker is not scraped rarely") {
    scrape(ScrapedServer{}, target(pod_a, "10.0.0.1:8000"));
    scrape(ScrapedServer{}, target(pod_b, "10.0.0.2:8000"));
    CHECK(pods().pods.size() == 2);
    fake.advance(100s);
    scrape(ScrapedServer{}, target(pod_a, "10.0.0.1:8000"));
    CHECK(pod_names(pods()) == std::vector{pod_a});
}

TEST_CASE_METHOD(ClusterFixture, "pods are ready also where all that is known is late") {
    scrape(ScrapedServer{}, target(pod_a, "10.0.0.1:8000"));
    report_pod(pod_a);
    fake.advance(50s);
    for (int round = 0; round < 2; ++round) {
        fake.forget_queries();
        const ReplicaSamples late = pods();
        REQUIRE(late.pods.size() == 1);
        CHECK(late.pods[0].state == PodState::ready);
        CHECK(late.gone_pods.empty());
    }
}

TEST_CASE_METHOD(BatchFixture,
                 "the first round, which looks back further, makes no chunk smaller") {
    serve(8);
    for (const ModelKey& model : models)
        for (const std::string metric : {"vllm:kv_cache_usage_perc", "vllm:num_requests_running"})
            fake.set_steady(series(metric, {pod_a, model.model_id}, {{"engine", "0"}}), 1, 5min,
                            2s);
    // Enough for the samples of one minute, and too little for those of five.
    config.client.http.limits.max_body_bytes = 40'000;
    const PrometheusBackend queried = backend();
    const auto queries_of_round = [&] {
        fake.forget_queries();
        for (const auto& answer : run(PrometheusBackend(queried).fetch_replica_samples(models)))
            CHECK(answer.has_value());
        return fake.query_count();
    };
    CHECK(queries_of_round() > 3);
    CHECK(queries_of_round() == 3);
}
