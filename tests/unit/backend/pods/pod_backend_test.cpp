// SPDX-License-Identifier: Apache-2.0
#include "paged_pods.hpp"

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace wva_metrics {
namespace {

using namespace std::chrono_literals;
using test_support::all_of;
using test_support::PagedPod;
using test_support::PodsFixture;
using test_support::vllm_page;

const std::string llama_a = "llama-7d9f8b6c5d-aaaaa";
const std::string llama_b = "llama-7d9f8b6c5d-bbbbb";

bool lacks(const Reading<double>& reading, ReadingReason reason) {
    return reading.state() == ReadingState::missing && reading.reason() == reason;
}

TEST_CASE_METHOD(PodsFixture, "the first call scrapes the pods at once, and rates warm up") {
    PagedPod one(context, vllm_page({.waiting = 3, .kv_cache = 0.25}));
    PagedPod two(context, vllm_page({.waiting = 0, .kv_cache = 0.75}));
    config.targets = {two.target(llama_b), one.target(llama_a)};
    PodBackend backend(context.get_executor(), config);
    const ReplicaSamples samples = replicas(backend);
    REQUIRE(samples.pods.size() == 2);
    CHECK(samples.pods[0].pod == llama_a);
    CHECK(samples.pods[0].queue_length.value() == 3);
    CHECK(samples.pods[0].kv_cache_usage.value() == 0.25);
    CHECK(samples.pods[1].queue_length.value() == 0);
    CHECK(samples.pods[1].kv_cache_usage.value() == 0.75);
    CHECK(!samples.partial);
    CHECK(all_of(samples.warnings).empty());
    const OptimizerMetrics metrics = optimizer(backend);
    CHECK(lacks(metrics.arrival_rate_per_minute, ReadingReason::warming_up));
    // The second call was answered by what the first had read.
    CHECK(one.scrapes() == 1);
}

TEST_CASE_METHOD(PodsFixture, "two ports of a pod are two servers from their first scrape on") {
    PagedPod one(context, vllm_page({.waiting = 5, .kv_cache = 0.25}));
    PagedPod two(context, vllm_page({.waiting = 7, .kv_cache = 0.75}));
    config.targets = {one.target(llama_a), two.target(llama_a)};
    PodBackend backend(context.get_executor(), config);
    const ReplicaSamples samples = replicas(backend);
    INFO(all_of(samples.warnings));
    REQUIRE(samples.pods.size() == 1);
    CHECK(samples.pods[0].queue_length.value_or(-1) == 12);
    CHECK(samples.pods[0].kv_cache_usage.value_or(-1) == 0.75);
}

TEST_CASE_METHOD(PodsFixture,
                 "a pod that does not say which model it serves is not taken for none") {
    PagedPod pod(context, "llamacpp:requests_processing 1\nllamacpp:requests_deferred 2\n");
    config.targets = {pod.target(llama_a)};
    PodBackend unnamed(context.get_executor(), config);
    const ReplicaSamples unknown = replicas(unnamed);
    CHECK(unknown.pods.empty());
    CHECK(unknown.partial);
    CHECK(all_of(unknown.warnings).find("set ScrapeTarget::model") != std::string::npos);
    config.targets = {pod.target(llama_a, "meta/llama")};
    PodBackend named(context.get_executor(), config);
    const ReplicaSamples known = replicas(named);
    REQUIRE(known.pods.size() == 1);
    CHECK(known.pods[0].queue_length.value() == 2);
    CHECK(lacks(known.pods[0].kv_cache_usage, ReadingReason::not_provided));
    CHECK(!known.partial);
}

TEST_CASE_METHOD(PodsFixture, "a pod has a rate once it has been scraped twice") {
    PagedPod pod(context);
    config.targets = {pod.target(llama_a)};
    config.schedule.interval = 10ms;
    PodBackend backend(context.get_executor(), config);
    CHECK(lacks(optimizer(backend).arrival_rate_per_minute, ReadingReason::warming_up));
    pod.show(vllm_page({.requests = 12}));
    OptimizerMetrics metrics;
    do {
        metrics = optimizer(backend);
    } while (!metrics.arrival_rate_per_minute.has_value() ||
             metrics.arrival_rate_per_minute.value() == 0);
    CHECK(metrics.arrival_rate_per_minute.value() > 0);
    CHECK(metrics.coverage.is_whole());
}

TEST_CASE_METHOD(PodsFixture,
                 "a pod that cannot be read is missing with a reason, and the rest is partial") {
    PagedPod good(context);
    PagedPod bad(context);
    config.targets = {good.target(llama_a), bad.target(llama_b)};
    std::string said;
    SECTION("there is no page") {
        bad.answer_with("404 Not Found");
        said = "HTTP 404 for /metrics";
    }
    SECTION("it does not answer in time") {
        bad.fall_silent();
        config.scrape_timeout = 50ms;
        said = "timeout";
    }
    SECTION("half of the page arrives") {
        bad.cut_off_at(100);
        said = "could not be read";
    }
    SECTION("the page is malformed") {
        bad.show(vllm_page({}) + "vllm:num_requests_running{\n");
        said = "line 9";
    }
    SECTION("it is no server at all") {
        config.targets[1].url = "http://127.0.0.1:1";
        said = "unreachable";
    }
    PodBackend backend(context.get_executor(), config);
    const ReplicaSamples samples = replicas(backend);
    REQUIRE(samples.pods.size() == 2);
    CHECK(samples.pods[0].kv_cache_usage.value() == 0.5);
    CHECK(lacks(samples.pods[1].kv_cache_usage, ReadingReason::unread));
    CHECK(lacks(samples.pods[1].queue_length, ReadingReason::unread));
    CHECK(samples.partial);
    CHECK(all_of(samples.warnings).find(llama_b) != std::string::npos);
    CHECK(all_of(samples.warnings).find(said) != std::string::npos);
    const OptimizerMetrics metrics = optimizer(backend);
    CHECK(metrics.partial);
    CHECK(!metrics.coverage.is_whole());
}

TEST_CASE_METHOD(PodsFixture,
                 "a pod that fails keeps its last values for two scrapes, and is then unread") {
    PagedPod pod(context);
    config.targets = {pod.target(llama_a)};
    config.schedule.interval = 10ms;
    PodBackend backend(context.get_executor(), config);
    CHECK(replicas(backend).pods.front().kv_cache_usage.value() == 0.5);
    const std::size_t scrapes = pod.scrapes();
    while (pod.scrapes() < scrapes + 2)
        replicas(backend);
    pod.answer_with("503 Service Unavailable");
    ReplicaSamples samples;
    do {
        samples = replicas(backend);
    } while (!samples.partial);
    CHECK(samples.pods.size() == 1);
    while (samples.pods.front().kv_cache_usage.has_value())
        samples = replicas(backend);
    CHECK(lacks(samples.pods.front().kv_cache_usage, ReadingReason::unread));
    CHECK(samples.pods.front().last_sample_at.has_value());
    pod.answer_with("200 OK");
    do {
        samples = replicas(backend);
    } while (samples.partial);
    CHECK(samples.pods.front().kv_cache_usage.value() == 0.5);
}

TEST_CASE_METHOD(PodsFixture, "a model without pods has no values, and says what to configure") {
    PagedPod pod(context);
    config.targets = {pod.target(llama_a, "other/model")};
    PodBackend backend(context.get_executor(), config);
    const ReplicaSamples samples = replicas(backend);
    CHECK(samples.pods.empty());
    CHECK(samples.partial);
    CHECK(all_of(samples.warnings).find("PodConfig::targets") != std::string::npos);
    const OptimizerMetrics metrics = optimizer(backend);
    CHECK(lacks(metrics.arrival_rate_per_minute, ReadingReason::no_series));
    const Availability verdict = availability(backend);
    CHECK(!verdict.available);
    CHECK(verdict.reason == AvailabilityReason::metrics_missing);
    CHECK(verdict.message.find("PodConfig::targets") != std::string::npos);
}

TEST_CASE_METHOD(PodsFixture, "the page of another engine is no idle pod") {
    PagedPod pod(context, "# TYPE sglang:num_running_reqs gauge\nsglang:num_running_reqs 0\n");
    config.targets = {pod.target(llama_a, "meta/llama")};
    config.detect_engines = false;
    PodBackend backend(context.get_executor(), config);
    const ReplicaSamples samples = replicas(backend);
    REQUIRE(samples.pods.size() == 1);
    CHECK(lacks(samples.pods.front().kv_cache_usage, ReadingReason::no_series));
    CHECK(all_of(samples.warnings).find("no metrics of model 'meta/llama'") != std::string::npos);
    CHECK(availability(backend).reason == AvailabilityReason::metrics_missing);
}

TEST_CASE_METHOD(PodsFixture, "pods of several kinds of servers serve one model") {
    PagedPod vllm(context);
    PagedPod sglang(context, "sglang:num_running_reqs{model_name=\"meta/llama\"} 2\n"
                             "sglang:num_queue_reqs{model_name=\"meta/llama\"} 7\n"
                             "sglang:token_usage{model_name=\"meta/llama\"} 0.125\n");
    PagedPod llama_cpp(context, "llamacpp:requests_processing 1\nllamacpp:requests_deferred 4\n");
    PagedPod broken(context);
    broken.answer_with("500 Internal Server Error");
    config.targets = {vllm.target("a"), sglang.target("b"), llama_cpp.target("c", "meta/llama"),
                      broken.target("d")};
    PodBackend backend(context.get_executor(), config);
    const ReplicaSamples samples = replicas(backend);
    REQUIRE(samples.pods.size() == 4);
    CHECK(samples.pods[0].engine == "vllm");
    CHECK(samples.pods[0].kv_cache_usage.value() == 0.5);
    CHECK(samples.pods[1].engine == "sglang");
    CHECK(samples.pods[1].kv_cache_usage.value() == 0.125);
    CHECK(samples.pods[1].kv_cache_usage.metric() == "sglang:token_usage");
    CHECK(samples.pods[1].queue_length.value() == 7);
    CHECK(samples.pods[2].engine == "llama_cpp");
    CHECK(samples.pods[2].queue_length.value() == 4);
    CHECK(lacks(samples.pods[2].kv_cache_usage, ReadingReason::not_provided));
    CHECK(lacks(samples.pods[3].kv_cache_usage, ReadingReason::unread));
}

TEST_CASE_METHOD(PodsFixture, "a page with several models is divided by their label") {
    PagedPod pod(context,
                 vllm_page({.kv_cache = 0.25}) + vllm_page({.model = "lora", .kv_cache = 0.75}));
    config.targets = {pod.target(llama_a)};
    PodBackend backend(context.get_executor(), config);
    CHECK(replicas(backend).pods.front().kv_cache_usage.value() == 0.25);
    CHECK(replicas(backend, "lora").pods.front().kv_cache_usage.value() == 0.75);
    CHECK(replicas(backend, "neither").pods.empty());
    CHECK(pod.scrapes() == 1);
}

TEST_CASE_METHOD(PodsFixture, "a page that names no model has that of its target") {
    PagedPod pod(context, "vllm:num_requests_waiting 4\nvllm:kv_cache_usage_perc 0.5\n");
    config.targets = {pod.target(llama_a, "meta/llama")};
    PodBackend backend(context.get_executor(), config);
    CHECK(replicas(backend).pods.front().queue_length.value() == 4);
}

TEST_CASE_METHOD(PodsFixture,
                 "a restart that changes the engine label counts the new engine alone") {
    PagedPod pod(context, vllm_page({.waiting = 9, .engine = "0"}));
    config.targets = {pod.target(llama_a)};
    config.schedule.interval = 10ms;
    PodBackend backend(context.get_executor(), config);
    CHECK(replicas(backend).pods.front().queue_length.value() == 9);
    pod.show(vllm_page({.waiting = 1, .engine = "1"}));
    ReplicaSamples samples;
    do {
        samples = replicas(backend);
        REQUIRE(samples.pods.size() == 1);
        REQUIRE(samples.pods.front().queue_length.value() != 10);
    } while (samples.pods.front().queue_length.value() != 1);
    CHECK(!samples.partial);
}

TEST_CASE_METHOD(PodsFixture, "calls at the same time share a scrape") {
    PagedPod pod(context);
    config.targets = {pod.target(llama_a)};
    PodBackend backend(context.get_executor(), config);
    std::size_t completed = 0;
    for (int i = 0; i < 5; ++i) {
        std::vector<ModelKey> models(1, ModelKey("llm", "meta/llama"));
        asio::co_spawn(context, backend.fetch_replica_samples(std::move(models)),
                       [&](std::exception_ptr, std::vector<Result<ReplicaSamples>> got) {
                           CHECK(got.front().value().pods.size() == 1);
                           ++completed;
                       });
    }
    while (completed < 5)
        context.run_one();
    CHECK(pod.scrapes() == 1);
}

TEST_CASE_METHOD(PodsFixture,
                 "availability is that of the newest sample, or says why there is none") {
    PagedPod pod(context);
    config.targets = {pod.target(llama_a)};
    SECTION("found") {
        PodBackend backend(context.get_executor(), config);
        CHECK(availability(backend).available);
        CHECK(availability(backend).last_sample_at.has_value());
    }
    SECTION("not readable") {
        pod.answer_with("401 Unauthorized");
        PodBackend backend(context.get_executor(), config);
        const Availability verdict = availability(backend);
        CHECK(!verdict.available);
        CHECK(verdict.reason == AvailabilityReason::backend_error);
        CHECK(verdict.message.find("HTTP 401") != std::string::npos);
    }
}

TEST_CASE_METHOD(PodsFixture, "a target without a model id is refused alone") {
    PagedPod pod(context);
    config.targets = {pod.target(llama_a)};
    PodBackend backend(context.get_executor(), config);
    std::vector<ModelKey> models = {ModelKey("llm", ""), ModelKey("llm", "meta/llama")};
    const auto answers = run(backend.fetch_replica_samples(std::move(models)));
    CHECK(answers[0].error().is(Errc::invalid_argument));
    CHECK(answers[1].value().pods.size() == 1);
}

} // namespace
} // namespace wva_metrics
