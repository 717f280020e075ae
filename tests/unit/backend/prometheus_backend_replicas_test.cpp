// SPDX-License-Identifier: Apache-2.0
#include "backend_fixture.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <limits>
#include <string>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test_support;
using Catch::Matchers::ContainsSubstring;

namespace {

const std::string pod_a = "llama-7d9f8b6c5d-aaaaa";
const std::string pod_b = "llama-7d9f8b6c5d-bbbbb";

std::vector<std::string> names(const ReplicaSamples& samples) {
    std::vector<std::string> found;
    for (const ReplicaSample& sample : samples.pods)
        found.push_back(sample.pod);
    return found;
}

bool is_missing(const Reading<double>& reading, ReadingReason reason) {
    return reading.state() == ReadingState::missing && reading.reason() == reason;
}

} // namespace

TEST_CASE_METHOD(BackendFixture, "each pod has its own KV cache usage and queue length") {
    set_kv({pod_b}, 0.9);
    set_kv({pod_a}, 0.25);
    set_queue({pod_a}, 3);
    set_queue({pod_b}, 0);
    const ReplicaSamples samples = replicas();

    CHECK(samples.model == ModelKey("llm", "meta/llama"));
    REQUIRE(names(samples) == std::vector{pod_a, pod_b});
    CHECK(samples.pods[0].kv_cache_usage.value() == 0.25);
    CHECK(samples.pods[0].queue_length.value() == 3);
    CHECK(samples.pods[1].kv_cache_usage.value() == 0.9);
    // A measured 0, unlike a missing one.
    CHECK(samples.pods[1].queue_length.value() == 0);
    CHECK(samples.pods[0].kv_cache_usage.metric() == "vllm:kv_cache_usage_perc");
    CHECK(samples.pods[0].queue_length.metric() == "vllm:num_requests_waiting");
    CHECK(samples.gone_pods.empty());
    CHECK(samples.warnings.empty());
    CHECK_FALSE(samples.partial);
}

TEST_CASE_METHOD(BackendFixture, "a gauge is its peak in the window, and as old as its last "
                                 "sample") {
    const auto kv = series("vllm:kv_cache_usage_perc", {pod_a}, {{"engine", "0"}});
    fake.append(kv, 0.95, noon - 50s);
    fake.append(kv, 0.30, noon - 20s);
    const TimePoint before = std::chrono::steady_clock::now();
    const Reading<double> usage = replicas().pods.at(0).kv_cache_usage;
    const TimePoint after = std::chrono::steady_clock::now();
    CHECK(usage.value() == 0.95);
    CHECK(usage.sampled_at() >= before - 20s);
    CHECK(usage.sampled_at() <= after - 20s);

    config.windows.peak = 0s;
    CHECK(replicas().pods.at(0).kv_cache_usage.value() == 0.30);
}

TEST_CASE_METHOD(BackendFixture, "a series that has ended counts for the window, as a window old") {
    set_ended_kv({pod_a}, 0.5);
    const TimePoint before = std::chrono::steady_clock::now();
    const Reading<double> usage = replicas().pods.at(0).kv_cache_usage;
    const TimePoint after = std::chrono::steady_clock::now();
    CHECK(usage.value() == 0.5);
    CHECK(usage.sampled_at() >= before - 60s);
    CHECK(usage.sampled_at() <= after - 60s);

    fake.advance(31s);
    CHECK(replicas().pods.empty());
}

TEST_CASE_METHOD(BackendFixture, "engines in one pod add their queues and take the highest KV "
                                 "cache usage") {
    set_kv({pod_a}, 0.2, "0");
    set_kv({pod_a}, 0.7, "1");
    set_kv({pod_a}, 0.4, "2");
    set_queue({pod_a}, 1, "0");
    set_queue({pod_a}, 2, "1");
    set_queue({pod_a}, 4, "2");
    const ReplicaSamples samples = replicas();
    REQUIRE(names(samples) == std::vector{pod_a});
    CHECK(samples.pods[0].kv_cache_usage.value() == 0.7);
    CHECK(samples.pods[0].queue_length.value() == 7);
}

TEST_CASE_METHOD(BackendFixture, "an engine that has ended is left out beside living ones") {
    set_kv({pod_a}, 0.2, "0");
    set_queue({pod_a}, 1, "0");
    for (const char* metric : {"vllm:kv_cache_usage_perc", "vllm:num_requests_waiting"}) {
        const auto ended = series(metric, {pod_a}, {{"engine", "1"}});
        fake.append(ended, 0.99, noon - 30s);
        fake.end(ended);
    }
    const ReplicaSample sample = replicas().pods.at(0);
    CHECK(sample.kv_cache_usage.value() == 0.2);
    CHECK(sample.queue_length.value() == 1);
}

TEST_CASE_METHOD(BackendFixture, "a metric that a pod does not have is missing, and no zero") {
    set_kv({pod_a}, 0.5);
    set_queue({pod_b}, 2);
    const ReplicaSamples samples = replicas();
    REQUIRE(names(samples) == std::vector{pod_a, pod_b});
    CHECK(is_missing(samples.pods[0].queue_length, ReadingReason::no_series));
    CHECK(is_missing(samples.pods[1].kv_cache_usage, ReadingReason::no_series));
    CHECK_FALSE(samples.partial);
}

TEST_CASE_METHOD(BackendFixture, "NaN and infinities are invalid readings of replicas too") {
    const double odd =
        GENERATE(std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity());
    set_kv({pod_a}, odd);
    set_queue({pod_a}, odd, "0");
    set_queue({pod_a}, 1, "1");
    const ReplicaSample sample = replicas().pods.at(0);
    CHECK(sample.kv_cache_usage.state() == ReadingState::invalid);
    CHECK(sample.queue_length.state() == ReadingState::invalid);
}

TEST_CASE_METHOD(BackendFixture, "a gauge whose last sample is NaN is invalid at once, whatever it "
                                 "was before") {
    for (const char* metric : {"vllm:kv_cache_usage_perc", "vllm:num_requests_waiting"}) {
        const auto odd = series(metric, {pod_a});
        fake.append(odd, 0.9, noon - 30s);
        fake.append(odd, std::numeric_limits<double>::quiet_NaN(), noon - 15s);
        const auto good = series(metric, {pod_b});
        fake.append(good, std::numeric_limits<double>::quiet_NaN(), noon - 30s);
        fake.append(good, 0.5, noon - 15s);
    }
    const ReplicaSamples samples = replicas();
    REQUIRE(names(samples) == std::vector{pod_a, pod_b});
    CHECK(samples.pods[0].kv_cache_usage.state() == ReadingState::invalid);
    CHECK(samples.pods[0].queue_length.state() == ReadingState::invalid);
    CHECK(samples.pods[1].kv_cache_usage.value() == 0.5);
    CHECK(samples.pods[1].queue_length.value() == 0.5);
}

TEST_CASE_METHOD(BackendFixture, "old and new versions in one fleet each answer by their own "
                                 "metric name") {
    fake.set(series("vllm:gpu_cache_usage_perc", {pod_a}), 0.6);
    set_kv({pod_b}, 0.3);
    const ReplicaSamples samples = replicas();
    REQUIRE(names(samples) == std::vector{pod_a, pod_b});
    CHECK(samples.pods[0].kv_cache_usage.value() == 0.6);
    CHECK(samples.pods[0].kv_cache_usage.metric() == "vllm:gpu_cache_usage_perc");
    CHECK(samples.pods[1].kv_cache_usage.value() == 0.3);
    CHECK(samples.pods[1].kv_cache_usage.metric() == "vllm:kv_cache_usage_perc");
}

TEST_CASE_METHOD(BackendFixture, "a server that went back to an older version answers by the older "
                                 "name at once") {
    const auto newer = series("vllm:kv_cache_usage_perc", {pod_a});
    fake.append(newer, 0.9, noon - 30s);
    fake.append(newer, 0.9, noon - 15s);
    fake.end(newer);
    fake.set(series("vllm:gpu_cache_usage_perc", {pod_a}), 0.1);
    const Reading<double> usage = replicas().pods.at(0).kv_cache_usage;
    CHECK(usage.value() == 0.1);
    CHECK(usage.metric() == "vllm:gpu_cache_usage_perc");
}

TEST_CASE_METHOD(BackendFixture, "series without a pod label are no replica, and that is said") {
    set_kv({pod_a}, 0.5);
    Server anonymous;
    anonymous.pod.clear();
    set_kv(anonymous, 0.9);
    const ReplicaSamples samples = replicas();
    CHECK(names(samples) == std::vector{pod_a});
    REQUIRE(samples.warnings.size() == 1);
    CHECK_THAT(samples.warnings[0],
               ContainsSubstring("label 'pod'") && ContainsSubstring("meta/llama"));
}

TEST_CASE_METHOD(BackendFixture, "pods are found by whatever label names them") {
    config.engine.labels.pod = "pod_name";
    fake.set({"vllm:num_requests_waiting",
              {{"namespace", "llm"}, {"model_name", "meta/llama"}, {"pod_name", pod_a}}},
             2);
    const ReplicaSamples samples = replicas();
    REQUIRE(names(samples) == std::vector{pod_a});
    CHECK(samples.pods[0].queue_length.value() == 2);
}

TEST_CASE_METHOD(BackendFixture, "pods that are known to be gone are named and not counted") {
    set_ended_kv({pod_a}, 0.5);
    set_kv({pod_b}, 0.5);
    remove_pod(pod_a);
    add_pod(pod_b);
    const ReplicaSamples samples = replicas();
    CHECK(names(samples) == std::vector{pod_b});
    CHECK(samples.gone_pods == std::vector{pod_a});
    CHECK_FALSE(samples.partial);
}

TEST_CASE_METHOD(BackendFixture, "pods are known to be gone also when all of them are") {
    set_ended_kv({pod_a}, 0.5);
    set_ended_kv({pod_b}, 0.5);
    remove_pod(pod_a);
    remove_pod(pod_b);
    add_pod("dns", "kube-system"); // kube-state-metrics itself is alive.
    const ReplicaSamples samples = replicas();
    CHECK(samples.pods.empty());
    CHECK(samples.gone_pods == std::vector{pod_a, pod_b});
}

TEST_CASE_METHOD(BackendFixture, "a pod whose series live is there, whatever kube-state-metrics "
                                 "says") {
    set_kv({pod_a}, 0.5);
    remove_pod(pod_a);
    SECTION("because the pod came back under its name after its last scrape") {
        add_pod(pod_b);
    }
    SECTION("because another cluster's reports, and this one's is away") {
        add_pod("dns", "kube-system");
    }
    const ReplicaSamples samples = replicas();
    REQUIRE(names(samples) == std::vector{pod_a});
    CHECK(samples.pods[0].kv_cache_usage.value() == 0.5);
    CHECK(samples.pods[0].state == PodState::unknown);
    CHECK(samples.gone_pods.empty());
    CHECK_FALSE(samples.partial);
}

TEST_CASE_METHOD(BackendFixture, "while one of several kube-state-metrics restarts, no pod that is "
                                 "measured gets lost") {
    const std::string pod_c = "llama-7d9f8b6c5d-ccccc";
    const std::string deleted = "llama-7d9f8b6c5d-ddddd";
    for (const std::string& pod : {pod_a, pod_b, pod_c})
        set_kv({pod}, 0.5);
    set_ended_kv({deleted}, 0.5);
    for (const std::string& pod : {pod_a, pod_b, deleted})
        remove_pod(pod); // All that the restarting one reports.
    add_pod(pod_c);
    for (const bool is_back : {false, true}) {
        if (is_back)
            for (const std::string& pod : {pod_a, pod_b})
                add_pod(pod);
        const ReplicaSamples samples = replicas();
        CHECK(names(samples) == std::vector{pod_a, pod_b, pod_c});
        CHECK(samples.gone_pods == std::vector{deleted});
    }
}

TEST_CASE_METHOD(BackendFixture, "nobody is called gone by a kube-state-metrics that does not "
                                 "know") {
    set_ended_kv({pod_a}, 0.5);
    SECTION("because there is none") {}
    SECTION("because it does not watch this namespace") {
        add_pod("dns", "kube-system");
    }
    SECTION("because it has not seen so young a pod yet") {
        add_pod(pod_b);
    }
    SECTION("because it reports nothing any more") {
        remove_pod(pod_a);
    }
    SECTION("because the pod that is gone is another namespace's") {
        add_pod("dns", "kube-system");
        remove_pod(pod_a, "kube-system");
    }
    SECTION("because it is not to be asked") {
        remove_pod(pod_a);
        add_pod(pod_b);
        config.use_kube_state = false;
    }
    const ReplicaSamples samples = replicas();
    CHECK(names(samples) == std::vector{pod_a});
    CHECK(samples.gone_pods.empty());
    CHECK(samples.warnings.empty());
    CHECK_FALSE(samples.partial);
}

TEST_CASE_METHOD(BackendFixture, "a pod that was gone and came back under its name is there") {
    set_ended_kv({"llama-0"}, 0.5);
    fake.append(pod_info("llama-0"), 1, noon - 120s);
    fake.append(pod_info("llama-0"), 1, noon);
    CHECK(names(replicas()) == std::vector<std::string>{"llama-0"});
}

TEST_CASE_METHOD(BackendFixture, "where kube-state-metrics cannot be asked the values are there, "
                                 "and what they lack is said") {
    set_ended_kv({pod_a}, 0.5);
    set_load({pod_a}, 1);
    remove_pod(pod_a);
    for (int i = 0; i < 200; ++i)
        add_pod("other-" + std::to_string(i));
    fake.limit_samples(100); // Too few for the pods alone.

    const ReplicaSamples samples = replicas();
    REQUIRE(names(samples) == std::vector{pod_a});
    CHECK(samples.pods[0].kv_cache_usage.value() == 0.5);
    CHECK(samples.partial);
    REQUIRE(samples.warnings.size() == 1);
    CHECK_THAT(samples.warnings[0],
               ContainsSubstring("which pods exist") && ContainsSubstring("too many samples"));

    const OptimizerMetrics metrics = optimizer(variant_of("llama"));
    CHECK(metrics.arrival_rate_per_minute.has_value());
    CHECK(metrics.partial);
    CHECK(metrics.warnings == samples.warnings);
}

TEST_CASE_METHOD(BackendFixture, "a namespace whose pods cannot be asked for spoils no other's") {
    set_ended_kv({pod_a, "meta/llama", "small"}, 0.5);
    set_ended_kv({pod_a, "meta/llama", "huge"}, 0.5);
    for (int i = 0; i < 100; ++i)
        add_pod("other-" + std::to_string(i), "huge");
    add_pod(pod_b, "small");
    remove_pod(pod_a, "small");
    fake.limit_samples(220); // Each pod is read three times, one of them of all namespaces.

    const auto answers =
        replicas({ModelKey("small", "meta/llama"), ModelKey("huge", "meta/llama")});
    const ReplicaSamples& small = answers[0].value();
    CHECK(small.gone_pods == std::vector{pod_a});
    CHECK_FALSE(small.partial);
    const ReplicaSamples& huge = answers[1].value();
    CHECK(names(huge) == std::vector{pod_a});
    CHECK(huge.partial);
}

TEST_CASE_METHOD(BackendFixture, "what Prometheus warns of is handed on once, and makes the answer "
                                 "partial") {
    config.use_kube_state = false;
    fake.fail_next(2, 200,
                   R"({"status":"success","warnings":["store-1 did not answer"],)"
                   R"("data":{"resultType":"vector","result":[]}})");
    const ReplicaSamples samples = replicas();
    CHECK(samples.partial);
    CHECK(samples.warnings == std::vector<std::string>{"store-1 did not answer"});
}

TEST_CASE_METHOD(BackendFixture, "no pod is called gone by an answer that lacks something") {
    const std::string warnings = GENERATE("", R"("warnings":["store-1 did not answer"],)");
    // Holds the answers to all three questions; each takes its own.
    const auto row = [](const std::string& labels, const std::string& value) {
        return R"({"metric":{"namespace":"llm","pod":"p-0",)" + labels +
               R"(},"value":[1700000000,")" + value + "\"]}";
    };
    fake.fail_next(3, 200,
                   R"({"status":"success",)" + warnings +
                       R"("data":{"resultType":"vector","result":[)" +
                       row(R"("model_name":"meta/llama","wva_part":"value0")", "0.5") + "," +
                       row(R"("wva_part":"gone0")", "1") + "," +
                       row(R"("wva_part":"reporting0")", "9") + "]}}");
    const ReplicaSamples samples = replicas();
    CHECK(samples.gone_pods.empty() == !warnings.empty());
    CHECK(samples.pods.empty() == warnings.empty());
    CHECK(samples.partial == !warnings.empty());
}

TEST_CASE_METHOD(BackendFixture, "samples carry the owners that kube-state-metrics names") {
    set_kv({pod_a}, 0.5);
    set_kv({pod_b}, 0.5);
    set_owner(pod_a, "ReplicaSet", "llama-7d9f8b6c5d");
    const ReplicaSamples samples = replicas();
    CHECK(samples.pods.at(0).owner ==
          PodOwner{"ReplicaSet", "llama-7d9f8b6c5d", OwnerSource::kube_state_metrics});
    CHECK_FALSE(samples.pods.at(1).owner.has_value());
}

TEST_CASE_METHOD(BackendFixture, "replicas of a model's namesakes in other namespaces are not its "
                                 "own") {
    set_kv({pod_a, "meta/llama", "blue"}, 0.1);
    set_kv({pod_a, "meta/llama", "green"}, 0.2);
    set_kv({pod_a, "qwen", "blue"}, 0.3);
    const auto answers = replicas({ModelKey("green", "meta/llama"), ModelKey("blue", "meta/llama"),
                                   ModelKey("green", "qwen"), ModelKey("blue", "qwen")});
    CHECK(answers[0].value().pods.at(0).kv_cache_usage.value() == 0.2);
    CHECK(answers[1].value().pods.at(0).kv_cache_usage.value() == 0.1);
    CHECK(answers[2].value().pods.empty());
    CHECK(answers[3].value().pods.at(0).kv_cache_usage.value() == 0.3);
}

TEST_CASE_METHOD(BackendFixture, "a model that nobody serves has no replicas, and that is no "
                                 "error") {
    const ReplicaSamples samples = replicas();
    CHECK(samples.pods.empty());
    CHECK_FALSE(samples.partial);
}
