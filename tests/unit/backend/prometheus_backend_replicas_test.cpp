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

TEST_CASE_METHOD(BackendFixture, "each pod has its own KV cache usage and queue length") {
    set_kv({pod_b}, 0.9);
    set_kv({pod_a}, 0.25);
    set_queue({pod_a}, 3);
    set_queue({pod_b}, 0);
    const ReplicaSamples samples = replicas();

    CHECK(samples.model == ModelKey("llm", "meta/llama"));
    REQUIRE(pod_names(samples) == std::vector{pod_a, pod_b});
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

TEST_CASE_METHOD(BackendFixture,
                 "a gauge has its peak in the window with its age, and the last sample beside it") {
    set_kv({pod_a}, 0.30);
    fake.append(series("vllm:kv_cache_usage_perc", {pod_a}, {{"engine", "0"}}), 0.95, noon - 45s);
    fake.advance(5s);
    const auto is_aged = [](TimePoint sampled_at, TimePoint before, Duration age) {
        return sampled_at >= before - age && sampled_at <= std::chrono::steady_clock::now() - age;
    };
    TimePoint before = std::chrono::steady_clock::now();
    const Reading<double> usage = replicas().pods.at(0).kv_cache_usage;
    CHECK(usage.value() == 0.95);
    CHECK(is_aged(usage.sampled_at(), before, 50s));
    CHECK(usage.statistic() == Statistic::peak);
    CHECK(usage.window() == 60s);
    CHECK(usage.latest() == 0.30);
    CHECK(is_aged(usage.latest_at(), before, 5s));

    config.windows.peak = 0s;
    before = std::chrono::steady_clock::now();
    const Reading<double> last = replicas().pods.at(0).kv_cache_usage;
    CHECK(last.value() == 0.30);
    CHECK(is_aged(last.sampled_at(), before, 5s));
    CHECK(last.statistic() == Statistic::last_sample);
    CHECK(last.window() == 0s);
}

TEST_CASE_METHOD(BackendFixture, "a pod that ended has its values for the window, with their age") {
    set_ended_kv({pod_a}, 0.5);
    const TimePoint before = std::chrono::steady_clock::now();
    const ReplicaSample ended = replicas().pods.at(0);
    const TimePoint after = std::chrono::steady_clock::now();
    CHECK(ended.kv_cache_usage.value() == 0.5);
    CHECK(ended.kv_cache_usage.sampled_at() >= before - 30s);
    CHECK(ended.kv_cache_usage.sampled_at() <= after - 30s);
    CHECK(ended.last_sample_at == ended.kv_cache_usage.sampled_at());

    fake.advance(29s);
    CHECK(replicas().pods.size() == 1);
    fake.advance(1s);
    CHECK(replicas().pods.empty());
}

TEST_CASE_METHOD(BackendFixture,
                 "engines in one pod add their queues and take the highest KV cache usage") {
    set_kv({pod_a}, 0.2, "0");
    set_kv({pod_a}, 0.7, "1");
    set_kv({pod_a}, 0.4, "2");
    set_queue({pod_a}, 1, "0");
    set_queue({pod_a}, 2, "1");
    set_queue({pod_a}, 4, "2");
    const ReplicaSamples samples = replicas();
    REQUIRE(pod_names(samples) == std::vector{pod_a});
    CHECK(samples.pods[0].kv_cache_usage.value() == 0.7);
    CHECK(samples.pods[0].queue_length.value() == 7);
}

TEST_CASE_METHOD(BackendFixture,
                 "an engine whose series has ended is ignored if others are alive") {
    for (const char* engine : {"0", "1"}) {
        set_kv({pod_a}, 0.2, engine);
        set_queue({pod_a}, 1, engine);
    }
    std::vector<FakePrometheus::Series> ended;
    for (const char* metric :
         {"vllm:kv_cache_usage_perc", "vllm:num_requests_waiting", "vllm:num_requests_running"}) {
        ended.push_back(series(metric, {pod_a}, {{"engine", "1"}}));
        fake.append(ended.back(), 99, noon - 30s);
    }
    SECTION("a while ago") {
        end_30s_ago(ended);
    }
    SECTION("at the newest scrape") {
        for (const FakePrometheus::Series& one : ended)
            fake.end(one);
    }
    const ReplicaSample sample = replicas().pods.at(0);
    CHECK(sample.kv_cache_usage.value() == 0.2);
    CHECK(sample.queue_length.value() == 1);
}

TEST_CASE_METHOD(BackendFixture, "a metric that a pod does not have is missing, not zero") {
    set_kv({pod_a}, 0.5);
    set_queue({pod_b}, 2);
    const ReplicaSamples samples = replicas();
    REQUIRE(pod_names(samples) == std::vector{pod_a, pod_b});
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

TEST_CASE_METHOD(
    BackendFixture,
    "a gauge whose last sample is NaN is invalid at once, whatever its earlier samples") {
    for (const char* metric : {"vllm:kv_cache_usage_perc", "vllm:num_requests_waiting"}) {
        const auto odd = series(metric, {pod_a});
        fake.append(odd, 0.9, noon - 30s);
        fake.append(odd, std::numeric_limits<double>::quiet_NaN(), noon - 15s);
        const auto good = series(metric, {pod_b});
        fake.append(good, std::numeric_limits<double>::quiet_NaN(), noon - 30s);
        fake.append(good, 0.5, noon - 15s);
    }
    const ReplicaSamples samples = replicas();
    REQUIRE(pod_names(samples) == std::vector{pod_a, pod_b});
    CHECK(samples.pods[0].kv_cache_usage.state() == ReadingState::invalid);
    CHECK(samples.pods[0].queue_length.state() == ReadingState::invalid);
    CHECK(samples.pods[1].kv_cache_usage.value() == 0.5);
    CHECK(samples.pods[1].queue_length.value() == 0.5);
}

TEST_CASE_METHOD(BackendFixture,
                 "pods of old and new versions are each read by their own metric name") {
    fake.set(series("vllm:gpu_cache_usage_perc", {pod_a}), 0.6);
    set_kv({pod_b}, 0.3);
    const ReplicaSamples samples = replicas();
    REQUIRE(pod_names(samples) == std::vector{pod_a, pod_b});
    CHECK(samples.pods[0].kv_cache_usage.value() == 0.6);
    CHECK(samples.pods[0].kv_cache_usage.metric() == "vllm:gpu_cache_usage_perc");
    CHECK(samples.pods[1].kv_cache_usage.value() == 0.3);
    CHECK(samples.pods[1].kv_cache_usage.metric() == "vllm:kv_cache_usage_perc");
}

TEST_CASE_METHOD(
    BackendFixture,
    "a server that was rolled back is read by the older metric name after two scrapes") {
    // The series of one scrape do not always arrive together, so one scrape may lack some.
    set_kv({pod_a}, 0.9);
    const auto newer = series("vllm:kv_cache_usage_perc", {pod_a}, {{"engine", "0"}});
    const auto older = series("vllm:gpu_cache_usage_perc", {pod_a}, {{"engine", "0"}});
    fake.end(newer);
    fake.append(older, 0.1, noon);
    CHECK(replicas().pods.at(0).kv_cache_usage.value() == 0.9);
    end_30s_ago({newer});
    fake.append(older, 0.1, noon - 15s);
    const Reading<double> usage = replicas().pods.at(0).kv_cache_usage;
    CHECK(usage.value() == 0.1);
    CHECK(usage.metric() == "vllm:gpu_cache_usage_perc");
}

TEST_CASE_METHOD(BackendFixture, "series without a pod label are ignored, with a warning") {
    set_kv({pod_a}, 0.5);
    Server anonymous;
    anonymous.pod.clear();
    set_kv(anonymous, 0.9);
    const ReplicaSamples samples = replicas();
    CHECK(pod_names(samples) == std::vector{pod_a});
    REQUIRE(samples.warnings.size() == 1);
    CHECK_THAT(samples.warnings[0],
               ContainsSubstring("no label that names the pod") && ContainsSubstring("pod_name"));
}

TEST_CASE_METHOD(BackendFixture, "the pod label can have another name") {
    config.engine.labels.pod = "pod_name";
    fake.set({"vllm:num_requests_waiting",
              {{"namespace", "llm"}, {"model_name", "meta/llama"}, {"pod_name", pod_a}}},
             2);
    const ReplicaSamples samples = replicas();
    REQUIRE(pod_names(samples) == std::vector{pod_a});
    CHECK(samples.pods[0].queue_length.value() == 2);
}

TEST_CASE_METHOD(BackendFixture,
                 "a warning of Prometheus is passed on once and makes the answer partial") {
    config.use_kube_state = false;
    set_kv({pod_a}, 0.5);
    const auto answer = [](const std::string& type, const std::string& labels,
                           const std::string& value) {
        return R"({"status":"success","warnings":["store-1 did not answer"],"data":{"resultType":")" +
               type + R"(","result":[{"metric":{)" + labels + "}," + value + "}]}}";
    };
    const std::string time = answer("vector", "", R"("value":[1700000000,"0"])");
    const std::string sample = answer("matrix",
                                      R"("__name__":"vllm:kv_cache_usage_perc","namespace":"llm",)"
                                      R"("model_name":"meta/llama","pod":")" +
                                          pod_a + '"',
                                      R"("values":[[1700000000,"0.5"]])");
    SECTION("in both answers") {
        fake.fail_next_containing("vector(0)", 1, 200, time);
        fake.fail_next_containing("kv_cache", 1, 200, sample);
    }
    SECTION("in the answer with the samples") {
        fake.fail_next_containing("kv_cache", 1, 200, sample);
    }
    const ReplicaSamples samples = replicas();
    CHECK(pod_names(samples) == std::vector{pod_a});
    CHECK(samples.partial);
    CHECK(samples.warnings == std::vector<std::string>{"store-1 did not answer"});
}

TEST_CASE_METHOD(BackendFixture, "no pod has ended because of an incomplete answer") {
    config.use_kube_state = false;
    set_kv({pod_a}, 0.5);
    const std::string warnings = GENERATE("", R"("warnings":["store-1 did not answer"],)");
    // The living series of the pod are missing.
    fake.fail_next_containing("vector(0)", 1, 200,
                              R"({"status":"success",)" + warnings +
                                  R"("data":{"resultType":"vector","result":[{"metric":{},)"
                                  R"("value":[1700000030,"0"]}]}})");
    // An ended series counts only within the window.
    config.windows.rate = config.windows.peak = 20s;
    CHECK(replicas().pods.size() == (warnings.empty() ? 0 : 1));
}

TEST_CASE_METHOD(BackendFixture, "samples have the owners that kube-state-metrics reports") {
    set_kv({pod_a}, 0.5);
    set_kv({pod_b}, 0.5);
    set_owner(pod_a, "ReplicaSet", "llama-7d9f8b6c5d");
    const ReplicaSamples samples = replicas();
    CHECK(samples.pods.at(0).owner ==
          PodOwner{"ReplicaSet", "llama-7d9f8b6c5d", OwnerSource::kube_state_metrics});
    CHECK_FALSE(samples.pods.at(1).owner.has_value());
}

TEST_CASE_METHOD(BackendFixture,
                 "a model does not get the replicas of the same model id in other namespaces") {
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

TEST_CASE_METHOD(
    BackendFixture,
    "a model without servers has no replicas and a warning that says what to check, no error") {
    const ReplicaSamples samples = replicas();
    CHECK(samples.pods.empty());
    CHECK_FALSE(samples.partial);
    REQUIRE(samples.warnings.size() == 1);
    CHECK_THAT(samples.warnings[0],
               ContainsSubstring("'meta/llama'") && ContainsSubstring("ServiceMonitor"));
}
