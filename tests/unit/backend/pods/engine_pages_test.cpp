// SPDX-License-Identifier: Apache-2.0
#include "paged_pods.hpp"

#include <optional>
#include <string>
#include <vector>

// The pages of servers as their releases print them, and what is odd about them.

namespace wva_metrics {
namespace {

using test_support::all_of;
using test_support::PagedPod;
using test_support::PodsFixture;

/// A page, and what is to be read from it. Of a reading without a value the reason is wanted.
struct EnginePage {
    std::string title;
    std::string page;
    std::string engine;
    double queue;
    std::optional<double> kv_cache;
    ReadingReason no_kv_cache = ReadingReason::none;
};

/// A series with the label of the model.
std::string series(const std::string& name, const std::string& labels, const std::string& value) {
    return name + "{" + labels + (labels.empty() ? "" : ",") + "model_name=\"meta/llama\"} " +
           value + "\n";
}

std::vector<EnginePage> engine_pages() {
    std::vector<EnginePage> pages;
    pages.push_back({"vLLM 0.5, before the first request",
                     series("vllm:num_requests_running", "", "1.0") +
                         series("vllm:num_requests_swapped", "", "0.0") +
                         series("vllm:num_requests_waiting", "", "3.0") +
                         series("vllm:gpu_cache_usage_perc", "", "0.25") +
                         series("vllm:cpu_cache_usage_perc", "", "0.0"),
                     "vllm", 3, 0.25});
    pages.push_back({"vLLM 0.9, with the old and the new name of the KV cache",
                     series("vllm:num_requests_waiting", "engine=\"0\"", "3.0") +
                         series("vllm:gpu_cache_usage_perc", "engine=\"0\"", "0.25") +
                         series("vllm:kv_cache_usage_perc", "engine=\"0\"", "0.25"),
                     "vllm", 3, 0.25});
    pages.push_back({"vLLM with two engines, and the reasons to wait",
                     series("vllm:num_requests_waiting", "engine=\"0\"", "3") +
                         series("vllm:num_requests_waiting", "engine=\"1\"", "5") +
                         series("vllm:num_requests_waiting_by_reason",
                                "engine=\"0\",reason=\"capacity\"", "2") +
                         series("vllm:num_requests_waiting_by_reason",
                                "engine=\"0\",reason=\"deferred\"", "1") +
                         series("vllm:num_requests_waiting_by_reason",
                                "engine=\"1\",reason=\"capacity\"", "5") +
                         series("vllm:num_requests_waiting_by_reason",
                                "engine=\"1\",reason=\"deferred\"", "0") +
                         series("vllm:kv_cache_usage_perc", "engine=\"0\"", "0.2") +
                         series("vllm:kv_cache_usage_perc", "engine=\"1\"", "0.9"),
                     "vllm", 7, 0.9});
    pages.push_back({"vLLM in several processes, with a label that is in no table",
                     series("vllm:num_requests_waiting", "pid=\"7\"", "3") +
                         series("vllm:num_requests_waiting", "pid=\"8\"", "9") +
                         series("vllm:kv_cache_usage_perc", "pid=\"7\"", "0.2") +
                         series("vllm:kv_cache_usage_perc", "pid=\"8\"", "0.6"),
                     "vllm", 12, 0.6});
    pages.push_back({"SGLang, the metrics of all ranks of one scheduler",
                     series("sglang:num_queue_reqs", "pp_rank=\"0\",tp_rank=\"0\"", "7") +
                         series("sglang:num_queue_reqs", "pp_rank=\"0\",tp_rank=\"1\"", "7") +
                         series("sglang:token_usage", "pp_rank=\"0\",tp_rank=\"0\"", "0.5") +
                         series("sglang:token_usage", "pp_rank=\"0\",tp_rank=\"1\"", "0.5"),
                     "sglang", 7, 0.5});
    pages.push_back(
        {"SGLang that decodes, with data parallelism",
         series("sglang:num_queue_reqs", "dp_rank=\"0\",tp_rank=\"0\"", "3") +
             series("sglang:num_queue_reqs", "dp_rank=\"1\",tp_rank=\"1\"", "5") +
             series("sglang:num_decode_transfer_queue_reqs", "dp_rank=\"1\",tp_rank=\"1\"", "4") +
             series("sglang:token_usage", "dp_rank=\"0\",tp_rank=\"0\"", "0.5") +
             series("sglang:token_usage", "dp_rank=\"1\",tp_rank=\"1\"", "0.75"),
         "sglang", 12, 0.75});
    pages.push_back({"SGLang with a queue for each priority, and with all",
                     series("sglang:num_queue_reqs", "priority=\"\",tp_rank=\"0\"", "7") +
                         series("sglang:num_queue_reqs", "priority=\"0\",tp_rank=\"0\"", "3") +
                         series("sglang:num_queue_reqs", "priority=\"1\",tp_rank=\"0\"", "4") +
                         series("sglang:token_usage", "tp_rank=\"0\"", "0.5"),
                     "sglang", 7, 0.5});
    pages.push_back({"SGLang of 2024, with another label for the model",
                     "sglang:num_queue_reqs{name=\"/models/llama\"} 7\n"
                     "sglang:token_usage{name=\"/models/llama\"} 0.125\n",
                     "sglang", 7, 0.125});
    pages.push_back({"trtllm-serve before 1.3, which does not fill in the labels",
                     "trtllm_num_requests_running{engine_type=\"undefined\","
                     "model_name=\"undefined\"} 1\n"
                     "trtllm_num_requests_waiting{engine_type=\"undefined\","
                     "model_name=\"undefined\"} 4\n"
                     "trtllm_kv_cache_utilization{engine_type=\"undefined\","
                     "model_name=\"undefined\"} 0.25\n",
                     "trtllm", 4, 0.25});
    pages.push_back(
        {"Ray, the page of a node with two replicas, and each counter twice",
         series("ray_vllm_num_requests_waiting", "ReplicaId=\"a\",WorkerId=\"1\"", "3") +
             series("ray_vllm_num_requests_waiting", "ReplicaId=\"b\",WorkerId=\"2\"", "4") +
             series("ray_vllm_request_success_total", "ReplicaId=\"a\",WorkerId=\"1\"", "10") +
             series("ray_vllm_request_success", "ReplicaId=\"a\",WorkerId=\"1\"", "10") +
             series("ray_vllm_kv_cache_usage_perc", "ReplicaId=\"a\",WorkerId=\"1\"", "0.4") +
             series("ray_vllm_kv_cache_usage_perc", "ReplicaId=\"b\",WorkerId=\"2\"", "0.6"),
         "ray", 7, 0.6});
    pages.push_back({"KServe, with both copies of each series",
                     series("vllm:num_requests_waiting", "engine=\"0\"", "3") +
                         series("kserve_vllm:num_requests_waiting", "engine=\"0\"", "3") +
                         series("vllm:kv_cache_usage_perc", "engine=\"0\"", "0.2") +
                         series("kserve_vllm:kv_cache_usage_perc", "engine=\"0\"", "0.2"),
                     "vllm", 3, 0.2});
    pages.push_back({"TGI before its first batch",
                     "# TYPE tgi_queue_size gauge\ntgi_queue_size 0\n", "tgi", 0, std::nullopt,
                     ReadingReason::not_provided});
    pages.push_back({"llama.cpp of today, and of the time when it told its KV cache",
                     "llamacpp:kv_cache_usage_ratio 0.4\nllamacpp:requests_processing 1\n"
                     "llamacpp:requests_deferred 2\n",
                     "llama_cpp", 2, std::nullopt, ReadingReason::not_provided});
    return pages;
}

TEST_CASE_METHOD(PodsFixture, "the pages of servers and releases give what they mean") {
    for (const EnginePage& known : engine_pages()) {
        CAPTURE(known.title);
        PagedPod pod(context, known.page);
        config.targets = {pod.target("llama-7d9f8b6c5d-aaaaa", "meta/llama")};
        PodBackend backend(context.get_executor(), config);
        const ReplicaSamples samples = replicas(backend);
        CHECK(all_of(samples.warnings).empty());
        CHECK(!samples.partial);
        REQUIRE(samples.pods.size() == 1);
        const ReplicaSample& said = samples.pods.front();
        CHECK(said.engine == known.engine);
        CHECK(said.queue_length.value_or(-1) == known.queue);
        CHECK(said.kv_cache_usage.value_or(-1) == known.kv_cache.value_or(-1));
        CHECK(said.kv_cache_usage.reason() == known.no_kv_cache);
        // What it does not provide has no name, and least of all that of another kind of server.
        if (!known.kv_cache)
            CHECK(said.kv_cache_usage.metric().empty());
    }
}

TEST_CASE_METHOD(PodsFixture, "an engine that comes after its runtime is seen on the page") {
    const std::string runtime =
        "dynamo_component_inflight_requests{dynamo_component=\"backend\"} 0\n";
    PagedPod pod(context, runtime);
    config.targets = {pod.target("worker", "meta/llama")};
    config.schedule.interval = std::chrono::milliseconds(10);
    PodBackend backend(context.get_executor(), config);
    CHECK(replicas(backend).pods.front().engine == "dynamo");
    pod.show(runtime + test_support::vllm_page({.waiting = 6}));
    ReplicaSamples samples;
    const std::size_t scrapes = pod.scrapes();
    while (pod.scrapes() < scrapes + 3)
        samples = replicas(backend);
    CHECK(samples.pods.front().engine == "vllm");
    CHECK(samples.pods.front().queue_length.value_or(-1) == 6);
}

TEST_CASE_METHOD(PodsFixture,
                 "a profile of one's own counts where it shares names with a known one") {
    PagedPod pod(context, test_support::vllm_page({.waiting = 6}) +
                              "vllm:num_requests_waiting_by_reason{engine=\"0\",reason="
                              "\"capacity\",model_name=\"meta/llama\"} 2\n");
    config.targets = {pod.target("a")};
    config.engine.name = "vllm-fork";
    config.engine.queue_length = {"vllm:num_requests_waiting"};
    PodBackend backend(context.get_executor(), config);
    const ReplicaSamples samples = replicas(backend);
    CHECK(samples.pods.front().engine == "vllm-fork");
    CHECK(samples.pods.front().queue_length.value_or(-1) == 6);
}

TEST_CASE_METHOD(PodsFixture, "a frontend of Dynamo may write the model in lower case") {
    PagedPod pod(context, "dynamo_frontend_inflight_requests{model=\"qwen/qwen3-0.6b\"} 2\n"
                          "dynamo_frontend_queued_requests{model=\"qwen/qwen3-0.6b\"} 5\n");
    config.targets = {pod.target("a")};
    PodBackend backend(context.get_executor(), config);
    const ReplicaSamples samples = replicas(backend, "Qwen/Qwen3-0.6B");
    REQUIRE(samples.pods.size() == 1);
    CHECK(samples.pods.front().queue_length.value_or(-1) == 5);
    CHECK(replicas(backend, "qwen/qwen3-0.6c").pods.empty());
}

TEST_CASE_METHOD(PodsFixture, "of other servers two names that differ in case are two models") {
    PagedPod pod(context, test_support::vllm_page({.waiting = 6}));
    config.targets = {pod.target("a")};
    PodBackend backend(context.get_executor(), config);
    CHECK(replicas(backend, "meta/llama").pods.size() == 1);
    CHECK(replicas(backend, "Meta/Llama").pods.empty());
}

TEST_CASE_METHOD(PodsFixture, "a pod with pages of two kinds of servers is one pod") {
    PagedPod frontend(context, "dynamo_frontend_inflight_requests{model=\"meta/llama\"} 2\n");
    PagedPod engine(context, test_support::vllm_page({.waiting = 6}));
    config.targets = {frontend.target("worker"), engine.target("worker")};
    PodBackend backend(context.get_executor(), config);
    const ReplicaSamples samples = replicas(backend);
    REQUIRE(samples.pods.size() == 1);
    CHECK(samples.pods.front().engine == "vllm");
    CHECK(samples.pods.front().queue_length.value_or(-1) == 6);
    CHECK(all_of(samples.warnings).find("not measured by that of 'dynamo'") != std::string::npos);
}

} // namespace
} // namespace wva_metrics
