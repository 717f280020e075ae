// SPDX-License-Identifier: Apache-2.0
#include "backend_fixture.hpp"

#include <catch2/catch_all.hpp>

#include <string>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test_support;
using Catch::Matchers::ContainsSubstring;

TEST_CASE_METHOD(BackendFixture, "deleted pods are in gone_pods and not in pods") {
    set_ended_kv({pod_a}, 0.5);
    set_kv({pod_b}, 0.5);
    remove_pod(pod_a);
    add_pod(pod_b);
    const ReplicaSamples samples = replicas();
    CHECK(pod_names(samples) == std::vector{pod_b});
    CHECK(samples.gone_pods == std::vector{pod_a});
    CHECK_FALSE(samples.partial);
}

TEST_CASE_METHOD(BackendFixture, "all pods of a model can be deleted") {
    set_ended_kv({pod_a}, 0.5);
    set_ended_kv({pod_b}, 0.5);
    remove_pod(pod_a);
    remove_pod(pod_b);
    add_pod("dns", "kube-system"); // So kube-state-metrics itself is running.
    const ReplicaSamples samples = replicas();
    CHECK(samples.pods.empty());
    CHECK(samples.gone_pods == std::vector{pod_a, pod_b});
}

TEST_CASE_METHOD(BackendFixture,
                 "a pod with living series exists, even if kube-state-metrics does not report it") {
    set_kv({pod_a}, 0.5);
    remove_pod(pod_a);
    SECTION("because the pod was recreated with the same name after the last scrape") {
        add_pod(pod_b);
    }
    SECTION("because another cluster's kube-state-metrics reports, and this one's is down") {
        add_pod("dns", "kube-system");
    }
    const ReplicaSamples samples = replicas();
    REQUIRE(pod_names(samples) == std::vector{pod_a});
    CHECK(samples.pods[0].kv_cache_usage.value() == 0.5);
    CHECK(samples.pods[0].state == PodState::unknown);
    CHECK(samples.gone_pods.empty());
    CHECK_FALSE(samples.partial);
}

TEST_CASE_METHOD(BackendFixture,
                 "no measured pod is lost while one of several kube-state-metrics restarts") {
    const std::string pod_c = "llama-7d9f8b6c5d-ccccc";
    const std::string deleted = "llama-7d9f8b6c5d-ddddd";
    for (const std::string& pod : {pod_a, pod_b, pod_c})
        set_kv({pod}, 0.5);
    set_ended_kv({deleted}, 0.5);
    for (const std::string& pod : {pod_a, pod_b, deleted})
        remove_pod(pod); // The restarting one reported these.
    add_pod(pod_c);
    for (const bool is_back : {false, true}) {
        if (is_back)
            for (const std::string& pod : {pod_a, pod_b})
                add_pod(pod);
        const ReplicaSamples samples = replicas();
        CHECK(pod_names(samples) == std::vector{pod_a, pod_b, pod_c});
        CHECK(samples.gone_pods == std::vector{deleted});
    }
}

TEST_CASE_METHOD(BackendFixture, "no pod is gone if kube-state-metrics cannot know it") {
    set_ended_kv({pod_a}, 0.5);
    SECTION("because there is none") {}
    SECTION("because it does not watch this namespace") {
        add_pod("dns", "kube-system");
    }
    SECTION("because it has not seen so young a pod yet") {
        add_pod(pod_b);
    }
    SECTION("because it no longer reports anything") {
        remove_pod(pod_a);
    }
    SECTION("because the deleted pod is in another namespace") {
        add_pod("dns", "kube-system");
        remove_pod(pod_a, "kube-system");
    }
    SECTION("because it is disabled") {
        remove_pod(pod_a);
        add_pod(pod_b);
        config.use_kube_state = false;
    }
    const ReplicaSamples samples = replicas();
    CHECK(pod_names(samples) == std::vector{pod_a});
    CHECK(samples.gone_pods.empty());
    CHECK(samples.warnings.empty());
    CHECK_FALSE(samples.partial);
}

TEST_CASE_METHOD(BackendFixture, "a pod that was deleted and recreated with the same name exists") {
    set_ended_kv({"llama-0"}, 0.5);
    add_pod("llama-0");
    for (const auto ago : {60s, 75s, 90s})
        fake.end(pod_info("llama-0"), noon - ago);
    CHECK(pod_names(replicas()) == std::vector<std::string>{"llama-0"});
}

TEST_CASE_METHOD(BackendFixture, "if the query for pods fails there are values and a warning") {
    set_kv({pod_a}, 0.5);
    set_load({pod_a}, 1);
    remove_pod(pod_a);
    for (int i = 0; i < 100; ++i)
        add_pod("other-" + std::to_string(i));
    fake.limit_samples(1000); // Too few for the pods alone.

    const ReplicaSamples samples = replicas();
    REQUIRE(pod_names(samples) == std::vector{pod_a});
    CHECK(samples.pods[0].kv_cache_usage.value() == 0.5);
    CHECK(samples.partial);
    REQUIRE(samples.warnings.size() == 1);
    CHECK_THAT(samples.warnings[0], ContainsSubstring("query for existing pods") &&
                                        ContainsSubstring("too many samples"));

    const OptimizerMetrics metrics = optimizer(variant_of("llama"));
    CHECK(metrics.arrival_rate_per_minute.has_value());
    CHECK(metrics.partial);
    CHECK(metrics.warnings == samples.warnings);
}

TEST_CASE_METHOD(BackendFixture,
                 "a namespace whose pods cannot be queried does not affect the others") {
    set_ended_kv({pod_a, "meta/llama", "small"}, 0.5);
    set_ended_kv({pod_a, "meta/llama", "huge"}, 0.5);
    for (int i = 0; i < 100; ++i)
        add_pod("other-" + std::to_string(i), "huge");
    add_pod(pod_b, "small");
    remove_pod(pod_a, "small");
    fake.limit_samples(1000); // Enough for everything but the pods of `huge`.

    const auto answers =
        replicas({ModelKey("small", "meta/llama"), ModelKey("huge", "meta/llama")});
    const ReplicaSamples& small = answers[0].value();
    CHECK(small.gone_pods == std::vector{pod_a});
    CHECK_FALSE(small.partial);
    const ReplicaSamples& huge = answers[1].value();
    CHECK(pod_names(huge) == std::vector{pod_a});
    CHECK(huge.partial);
}

TEST_CASE_METHOD(BackendFixture, "an incomplete answer makes no pod gone") {
    set_ended_kv({pod_a}, 0.5);
    const std::string warnings = GENERATE("", R"("warnings":["store-1 did not answer"],)");
    const auto reported = [](const std::string& pod, int last) {
        std::string samples;
        for (const int ago : {30, 15, 0})
            samples += (samples.empty() ? "[" : ",[") + std::to_string(last - ago) + R"(,"1"])";
        return R"({"metric":{"__name__":"kube_pod_info","namespace":"llm","pod":")" + pod +
               R"("},"values":[)" + samples + "]}";
    };
    fake.fail_next_containing(
        "kube_pod_info", 1, 200,
        R"({"status":"success",)" + warnings + R"("data":{"resultType":"matrix","result":[)" +
            reported(pod_a, 1'699'999'940) + "," + reported(pod_b, 1'700'000'000) + "]}}");
    const ReplicaSamples samples = replicas();
    CHECK(samples.gone_pods.empty() == !warnings.empty());
    CHECK(samples.pods.empty() == warnings.empty());
    CHECK(samples.partial == !warnings.empty());
}
