// SPDX-License-Identifier: Apache-2.0
//
// What is easily read wrong on the pages of the known kinds of servers, one test for each.
#include "wva_metrics/engine/known_engines.hpp"

#include "unit/samples/engine_page.hpp"

#include <catch2/catch_all.hpp>

#include <string>

namespace wva_metrics::samples::engine_pages {

namespace {

/// A page with the series of one rank of an SGLang server.
std::string sglang_series(const std::string& metric, const std::string& ranks) {
    return "sglang:" + metric + R"({model_name="m",engine_type="unified",)" + ranks + "}";
}

} // namespace

TEST_CASE("vLLM: the queues of two engines of one pod are added up") {
    EnginePage page(vllm_profile());
    page.add(R"(vllm:num_requests_waiting{model_name="m",engine="0"})", {3});
    page.add(R"(vllm:num_requests_waiting{model_name="m",engine="1"})", {5});
    CHECK(page.value(Signal::queue_length) == 8);
}

TEST_CASE("vLLM: the fullest of several engines limits the pod, not the first") {
    EnginePage page(vllm_profile());
    page.add(R"(vllm:kv_cache_usage_perc{model_name="m",engine="0"})", {0.2});
    page.add(R"(vllm:kv_cache_usage_perc{model_name="m",engine="1"})", {0.9});
    CHECK(page.value(Signal::kv_cache_usage) == 0.9);
}

TEST_CASE("vLLM: waiting by reason is not added to what waits in all") {
    EnginePage page(vllm_profile());
    page.add(R"(vllm:num_requests_waiting{model_name="m",engine="0"})", {8});
    SECTION("of the reasons, only capacity asks for replicas") {
        page.add(
            R"(vllm:num_requests_waiting_by_reason{reason="capacity",model_name="m",engine="0"})",
            {5});
        page.add(
            R"(vllm:num_requests_waiting_by_reason{reason="deferred",model_name="m",engine="0"})",
            {3});
        CHECK(page.value(Signal::queue_length) == 5);
    }
    SECTION("without that reason, all that waits counts") {
        page.add(
            R"(vllm:num_requests_waiting_by_reason{reason="deferred",model_name="m",engine="0"})",
            {3});
        CHECK(page.value(Signal::queue_length) == 8);
    }
    SECTION("a family whose name only begins like another is another") {
        page.add(R"(vllm:num_requests_waiting_by_something{model_name="m",engine="0"})", {100});
        CHECK(page.value(Signal::queue_length) == 8);
    }
}

TEST_CASE("vLLM: a new name with zero wins over an old one") {
    EnginePage page(vllm_profile());
    page.add(R"(vllm:kv_cache_usage_perc{model_name="m",engine="0"})", {0});
    page.add(R"(vllm:gpu_cache_usage_perc{model_name="m",engine="0"})", {0.7});
    CHECK(page.value(Signal::kv_cache_usage) == 0);
}

TEST_CASE("SGLang: ranks of tensor and pipeline parallelism count once, those of data are added") {
    EnginePage page(sglang_profile());
    for (const std::string dp : {"0", "1"})
        for (const std::string tp : {"10", "2", "0"})
            for (const std::string pp : {"0", "1"}) {
                const std::string ranks = "tp_rank=\"" + tp + "\",pp_rank=\"" + pp +
                                          "\",dp_rank=\"" + dp + "\",moe_ep_rank=\"" + tp + "\"";
                page.add(sglang_series("num_queue_reqs", ranks), {dp == "0" ? 3.0 : 5.0});
                page.add(sglang_series("token_usage", ranks), {dp == "0" ? 0.4 : 0.6});
                page.add(sglang_series("num_running_reqs", ranks), {7});
            }
    CHECK(page.value(Signal::queue_length) == 8);
    CHECK(page.value(Signal::kv_cache_usage) == 0.6);
    CHECK(page.value(Signal::running) == 14);
}

TEST_CASE("SGLang: schedulers of context parallelism count once") {
    EnginePage page(sglang_profile());
    for (int rank = 0; rank < 8; ++rank)
        page.add(sglang_series("num_queue_reqs",
                               R"(tp_rank="0",attn_cp_rank=")" + std::to_string(rank) + "\""),
                 {4});
    CHECK(page.value(Signal::queue_length) == 4);
}

TEST_CASE("of copies that differ, the lowest rank counts that still reports") {
    EnginePage page(sglang_profile());
    page.add(sglang_series("num_queue_reqs", R"(tp_rank="10")"), {10});
    page.add(sglang_series("num_queue_reqs", R"(tp_rank="2")"), {2});
    CHECK(page.value(Signal::queue_length) == 2);
    page.add(sglang_series("num_queue_reqs", R"(tp_rank="0")"), {1}, 1);
    CHECK(page.value(Signal::queue_length) == 2);
    page.add(sglang_series("num_queue_reqs", R"(tp_rank="1")"), {9});
    CHECK(page.value(Signal::queue_length) == 9);
}

TEST_CASE("SGLang: what waits is the sum of the queues of the server's role") {
    EnginePage page(sglang_profile());
    page.add(R"(sglang:num_queue_reqs{model_name="m",engine_type="prefill",tp_rank="0"})", {1});
    page.add(
        R"(sglang:num_prefill_bootstrap_queue_reqs{model_name="m",engine_type="prefill",tp_rank="0"})",
        {2});
    page.add(
        R"(sglang:num_prefill_inflight_queue_reqs{model_name="m",engine_type="prefill",tp_rank="0"})",
        {4});
    CHECK(page.value(Signal::queue_length) == 7);
    CHECK(page.report().role == ReplicaRole::prefill);

    EnginePage decode(sglang_profile());
    decode.add(R"(sglang:num_decode_prealloc_queue_reqs{model_name="m",engine_type="decode"})",
               {8});
    decode.add(R"(sglang:num_decode_transfer_queue_reqs{model_name="m",engine_type="decode"})",
               {16});
    CHECK(decode.value(Signal::queue_length) == 24);
    CHECK(decode.report().role == ReplicaRole::decode);
}

TEST_CASE("SGLang: the queues of priorities are parts of one that is there too") {
    EnginePage page(sglang_profile());
    page.add(sglang_series("num_queue_reqs", R"(tp_rank="0",priority="")"), {7});
    page.add(sglang_series("num_queue_reqs", R"(tp_rank="0",priority="1")"), {3});
    page.add(sglang_series("num_queue_reqs", R"(tp_rank="0",priority="2")"), {4});
    page.add(sglang_series("token_usage", R"(tp_rank="0",priority="")"), {0.5});
    page.add(R"(sglang:num_requests_total{model_name="m",priority="1"})", counter_of(2));
    page.add(R"(sglang:num_requests_total{model_name="m",priority="2"})", counter_of(3));
    CHECK(page.value(Signal::queue_length) == 7);
    CHECK(page.value(Signal::kv_cache_usage) == 0.5);
    CHECK_THAT(page.value(Signal::arrival_rate).value(), Catch::Matchers::WithinRel(5.0, 1e-9));
}

TEST_CASE("SGLang: queues of priorities without a total are added up") {
    EnginePage page(sglang_profile());
    page.add(sglang_series("num_queue_reqs", R"(tp_rank="0",priority="1")"), {3});
    page.add(sglang_series("num_queue_reqs", R"(tp_rank="0",priority="2")"), {4});
    CHECK(page.value(Signal::queue_length) == 7);
}

TEST_CASE("SGLang: a queue whose name was misspelt counts") {
    EnginePage page(sglang_profile());
    page.add(sglang_series("num_queue_reqs", R"(tp_rank="0")"), {1});
    page.add(sglang_series("num_prefill_infight_queue_reqs", R"(tp_rank="0")"), {4});
    CHECK(page.value(Signal::queue_length) == 5);
}

TEST_CASE(
    "SGLang: a restart changes the pid and resets counters, and no rate is negative or huge") {
    EnginePage page(sglang_profile());
    page.add(R"(sglang:num_queue_reqs{model_name="m",tp_rank="0",pid="41"})", {30, 31}, 2);
    page.add(R"(sglang:num_queue_reqs{model_name="m",tp_rank="0",pid="97"})", {1, 2});
    page.add(R"(sglang:num_requests_total{model_name="m"})", {9000, 9030, 15, 45});
    CHECK(page.value(Signal::queue_length) == 2);
    CHECK_THAT(page.value(Signal::arrival_rate).value(),
               Catch::Matchers::WithinRel(75.0 / 45, 0.35));
}

TEST_CASE("SGLang: what was counted before and after a change of the pid is one growth") {
    EnginePage page(sglang_profile());
    page.add(R"(sglang:num_requests_total{model_name="m",pid="41"})", {100, 130}, 2);
    page.add(R"(sglang:num_requests_total{model_name="m",pid="97"})", {10, 40});
    CHECK_THAT(page.value(Signal::arrival_rate).value(),
               Catch::Matchers::WithinRel(70.0 / 45, 1e-9));
}

TEST_CASE("SGLang: of two pids on one page the younger one counts, also right after the restart") {
    EnginePage page(sglang_profile());
    page.add(R"(sglang:num_queue_reqs{model_name="m",tp_rank="0",pid="97"})", {2});
    page.add(R"(sglang:num_queue_reqs{model_name="m",tp_rank="0",pid="141"})", {6});
    CHECK(page.value(Signal::queue_length) == 6);

    EnginePage restarted(sglang_profile());
    restarted.add(R"(sglang:num_queue_reqs{model_name="m",tp_rank="0",pid="97"})", {2, 2, 2}, 1);
    restarted.add(R"(sglang:num_queue_reqs{model_name="m",tp_rank="0",pid="41"})", {5, 5}, 0);
    CHECK(restarted.value(Signal::queue_length) == 5);
}

TEST_CASE("SGLang: streamed requests and others are added up, and are one process") {
    EnginePage page(sglang_profile());
    page.add(R"(sglang:num_requests_total{model_name="m",is_streaming="true"})", counter_of(2));
    page.add(R"(sglang:num_requests_total{model_name="m",is_streaming="false"})", counter_of(1));
    page.add(R"(sglang:prompt_tokens_total{model_name="m",is_streaming="true"})", counter_of(200));
    page.add(R"(sglang:prompt_tokens_total{model_name="m",is_streaming="false"})", counter_of(100));
    CHECK_THAT(page.value(Signal::arrival_rate).value(), Catch::Matchers::WithinRel(3, 1e-9));
    // Without the optional histogram.
    CHECK_THAT(page.value(Signal::input_tokens).value(), Catch::Matchers::WithinRel(100, 1e-9));
}

TEST_CASE("TGI: its durations are seconds, its queue is a gauge, and it has no KV cache") {
    EnginePage page(tgi_profile());
    page.add("tgi_queue_size", {6});
    page.add("tgi_batch_current_max_tokens", {4096});
    page.add("tgi_request_mean_time_per_token_duration_sum", counter_of(0.25));
    page.add("tgi_request_mean_time_per_token_duration_count", counter_of(5));
    CHECK(page.value(Signal::queue_length) == 6);
    CHECK_THAT(page.value(Signal::itl).value(), Catch::Matchers::WithinRel(0.05, 1e-9));
    CHECK(page.reason(Signal::kv_cache_usage) == ReadingReason::not_provided);
    CHECK(page.reason(Signal::ttft) == ReadingReason::not_provided);
    CHECK(page.reason(Signal::arrival_rate) == ReadingReason::no_series);
}

TEST_CASE("TensorRT-LLM: tokens per request come from counters, over all reasons to finish") {
    EnginePage page(trtllm_profile());
    const std::string labels = R"(model_name="m",engine_type="trtllm")";
    page.add("trtllm_generation_tokens_total{" + labels + "}", counter_of(90));
    page.add("trtllm_request_success_total{finished_reason=\"stop\"," + labels + "}",
             counter_of(2));
    page.add("trtllm_request_success_total{finished_reason=\"length\"," + labels + "}",
             counter_of(1));
    page.add("trtllm_kv_cache_utilization{" + labels + "}", {0.5});
    CHECK_THAT(page.value(Signal::output_tokens).value(), Catch::Matchers::WithinRel(30, 1e-9));
    CHECK_THAT(page.value(Signal::arrival_rate).value(), Catch::Matchers::WithinRel(3, 1e-9));
    CHECK(page.value(Signal::kv_cache_usage) == 0.5);
    CHECK(page.report().role == ReplicaRole::unknown);
}

TEST_CASE("Triton: one family has a series for each kind of request and of block") {
    EnginePage page(triton_profile());
    const auto requests = [](const std::string& type) {
        return R"(nv_trt_llm_request_metrics{model="m",version="1",request_type=")" + type + "\"}";
    };
    const auto blocks = [](const std::string& type) {
        return R"(nv_trt_llm_kv_cache_block_metrics{model="m",version="1",kv_cache_block_type=")" +
               type + "\"}";
    };
    page.add(requests("waiting"), {3}).add(requests("max"), {512}).add(requests("scheduled"), {4});
    page.add(blocks("fraction"), {0.25}).add(blocks("used"), {100}).add(blocks("max"), {400});
    page.add(R"(nv_inference_exec_count{model="m",version="1"})", counter_of(50));
    CHECK(page.value(Signal::queue_length) == 3);
    CHECK(page.value(Signal::running) == 4);
    CHECK(page.value(Signal::kv_cache_usage) == 0.25);
    CHECK(page.reason(Signal::ttft) == ReadingReason::not_provided);
}

TEST_CASE("LMDeploy: generated tokens are not taken from the counter that counts them twice") {
    EnginePage page(lmdeploy_profile());
    for (const std::string engine : {"0", "1"}) {
        const std::string labels = R"({model_name="m",engine=")" + engine + "\"}";
        page.add("lmdeploy:generation_tokens_total" + labels, counter_of(400));
        page.add("lmdeploy:request_generation_tokens_sum" + labels, counter_of(200));
        page.add("lmdeploy:request_generation_tokens_count" + labels, counter_of(2));
        page.add("lmdeploy:e2e_request_latency_seconds_count" + labels, counter_of(2));
    }
    CHECK_THAT(page.value(Signal::output_tokens).value(), Catch::Matchers::WithinRel(100, 1e-9));
    CHECK_THAT(page.value(Signal::arrival_rate).value(), Catch::Matchers::WithinRel(4, 1e-9));
}

TEST_CASE("llama.cpp: the KV cache is not provided, and never 0") {
    EnginePage page(llama_cpp_profile());
    page.add("llamacpp:requests_processing", {4}).add("llamacpp:requests_deferred", {6});
    page.add("llamacpp:tokens_predicted_seconds_total", counter_of(3));
    page.add("llamacpp:tokens_predicted_total", counter_of(60));
    page.add("llamacpp:predicted_tokens_seconds", {20});
    for (const Signal signal : {Signal::kv_cache_usage, Signal::ttft, Signal::arrival_rate})
        CHECK(page.reason(signal) == ReadingReason::not_provided);
    // Slots cap what is processed: what exceeds them is deferred.
    CHECK(page.value(Signal::queue_length) == 6);
    CHECK_THAT(page.value(Signal::itl).value(), Catch::Matchers::WithinRel(0.05, 1e-9));
}

TEST_CASE("Ray: a counter that is there with and without _total counts once") {
    EnginePage page(ray_profile());
    for (const std::string worker : {"a", "b"}) {
        const std::string labels = R"({model_name="m",engine="0",WorkerId=")" + worker + "\"}";
        page.add("ray_vllm_request_success_total" + labels, counter_of(2));
        page.add("ray_vllm_request_success" + labels, counter_of(2));
        page.add("ray_vllm_num_requests_waiting" + labels, {worker == "a" ? 3.0 : 5.0});
    }
    CHECK_THAT(page.value(Signal::arrival_rate).value(), Catch::Matchers::WithinRel(4, 1e-9));
    CHECK(page.value(Signal::queue_length) == 8);
}

TEST_CASE("KServe: series that the scrape copied to another prefix count once") {
    EnginePage page(kserve_profile());
    for (const std::string prefix : {"vllm:", "kserve_vllm:"}) {
        const std::string labels = R"({model_name="m",engine="0",llm_isvc_role="decode"})";
        page.add(prefix + "num_requests_waiting" + labels, {4});
        page.add(prefix + "request_success_total" + labels, counter_of(2));
        page.add(prefix + "kv_cache_usage_perc" + labels, {0.5});
    }
    CHECK(page.value(Signal::queue_length) == 4);
    CHECK_THAT(page.value(Signal::arrival_rate).value(), Catch::Matchers::WithinRel(2, 1e-9));
    CHECK(page.report().role == ReplicaRole::decode);
}

TEST_CASE("Dynamo: a frontend has the queue, a worker the KV cache by rank") {
    EnginePage frontend(dynamo_profile());
    frontend.add(R"(dynamo_frontend_queued_requests{model="m"})", {4});
    frontend.add(R"(dynamo_frontend_inflight_requests{model="m"})", {9});
    frontend.add(R"(dynamo_frontend_router_queue_pending_requests{worker_type="decode"})", {2});
    CHECK(frontend.value(Signal::queue_length) == 4);
    CHECK(frontend.reason(Signal::kv_cache_usage) == ReadingReason::no_series);

    EnginePage worker(dynamo_profile());
    for (const std::string rank : {"0", "1"})
        worker.add(R"(dynamo_component_kvstats_gpu_cache_usage_percent{model="m",)"
                   R"(dynamo_component="prefill",dp_rank=")" +
                       rank + "\"}",
                   {rank == "0" ? 0.25 : 0.75});
    CHECK(worker.value(Signal::kv_cache_usage) == 0.75);
    CHECK(worker.report().role == ReplicaRole::prefill);
}

TEST_CASE("a metric in another unit is scaled, whatever is computed of it") {
    EngineProfile profile = vllm_profile();
    profile.queue_length = {"waiting_thousands * 1000"};
    profile.kv_cache_usage = {"usage_percent * 0.01"};
    profile.arrival_rate = {"finished_total * 0.5"};
    profile.ttft = {"first_ms * 0.001"};
    REQUIRE(validate(profile).empty());
    EnginePage page(profile);
    page.add("waiting_thousands", {0.002, 0.004, 0.003, 0.001}).add("usage_percent", {50});
    page.add("finished_total", counter_of(4));
    page.add("first_ms_sum", counter_of(900)).add("first_ms_count", counter_of(3));
    CHECK_THAT(page.value(Signal::queue_length).value(), Catch::Matchers::WithinRel(4, 1e-9));
    CHECK_THAT(page.report()[Signal::queue_length].latest, Catch::Matchers::WithinRel(1, 1e-9));
    CHECK_THAT(page.value(Signal::kv_cache_usage).value(), Catch::Matchers::WithinRel(0.5, 1e-9));
    CHECK_THAT(page.value(Signal::arrival_rate).value(), Catch::Matchers::WithinRel(2, 1e-9));
    CHECK_THAT(page.value(Signal::ttft).value(), Catch::Matchers::WithinRel(0.3, 1e-9));
}

} // namespace wva_metrics::samples::engine_pages
