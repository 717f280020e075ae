// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/engine/engine_table.hpp"

// What each kind of inference server publishes. The newer name comes before the older one. What a
// comment does not explain is said in the README of this folder.

namespace wva_metrics {

/// vLLM, from 0.8 on.
///
/// `gpu_cache_usage_perc` became `kv_cache_usage_perc` in 0.9, `time_per_output_token_seconds`
/// became `inter_token_latency_seconds` in 0.11. `request_time_per_output_token_seconds` is not
/// listed: it weights requests equally, not tokens, and so has another value. Of the reasons to
/// wait only `capacity` asks for replicas: what is deferred waits on purpose.
inline constexpr EngineTable vllm_table{
    .name = "vllm",
    .title = "vLLM",
    .prefix = "vllm:",
    .running = {"vllm:num_requests_running"},
    .arrival_rate = {"vllm:request_success_total"},
    .input_tokens = {"vllm:request_prompt_tokens"},
    .output_tokens = {"vllm:request_generation_tokens"},
    .ttft = {"vllm:time_to_first_token_seconds"},
    .itl = {"vllm:inter_token_latency_seconds", "vllm:time_per_output_token_seconds"},
    .kv_cache_usage = {"vllm:kv_cache_usage_perc", "vllm:gpu_cache_usage_perc"},
    .queue_length = {R"(vllm:num_requests_waiting_by_reason{reason="capacity"})",
                     "vllm:num_requests_waiting"},
    .kv_capacity = {"vllm:cache_config_info[num_gpu_blocks * block_size]"},
    .prefix_cache_hit_rate = {"vllm:prefix_cache_hits_total / vllm:prefix_cache_queries_total",
                              "vllm:gpu_prefix_cache_hits_total / "
                              "vllm:gpu_prefix_cache_queries_total"},
    .generation_rate = {"vllm:generation_tokens_total"},
    .running_requests = {"vllm:num_requests_running"},
    .queue_time = {"vllm:request_queue_time_seconds"},
    .e2e_latency = {"vllm:e2e_request_latency_seconds"},
    .engine_labels = {"engine"},
};

/// SGLang, with `--enable-metrics`.
///
/// With prefill and decode in different servers, requests wait in the queues of the server's role
/// besides the general one. The histograms of tokens are optional; without them, the tokens are
/// divided by the requests. A gauge may carry the `pid` of its scheduler. One queue was misspelt in
/// releases of 2025. With priorities, a gauge has a series for each of them beside the total.
inline constexpr EngineTable sglang_table{
    .name = "sglang",
    .title = "SGLang",
    .prefix = "sglang:",
    .running = {"sglang:num_running_reqs"},
    .arrival_rate = {"sglang:num_requests_total"},
    .input_tokens = {"sglang:prompt_tokens_histogram",
                     "sglang:prompt_tokens_total / sglang:num_requests_total"},
    .output_tokens = {"sglang:generation_tokens_histogram",
                      "sglang:generation_tokens_total / sglang:num_requests_total"},
    .ttft = {"sglang:time_to_first_token_seconds"},
    .itl = {"sglang:inter_token_latency_seconds", "sglang:time_per_output_token_seconds"},
    .kv_cache_usage = {"sglang:token_usage"},
    .queue_length = {"sglang:num_queue_reqs + sglang:num_prefill_prealloc_queue_reqs + "
                     "sglang:num_prefill_bootstrap_queue_reqs + "
                     "sglang:num_prefill_inflight_queue_reqs + "
                     "sglang:num_prefill_infight_queue_reqs + "
                     "sglang:num_decode_prealloc_queue_reqs + "
                     "sglang:num_decode_transfer_queue_reqs"},
    .kv_capacity = {"sglang:max_total_num_tokens"},
    .prefix_cache_hit_rate = {"sglang:cached_tokens_total / sglang:prompt_tokens_total"},
    .generation_rate = {"sglang:generation_tokens_total"},
    .running_requests = {"sglang:num_running_reqs"},
    .queue_time = {"sglang:queue_time_seconds"},
    .e2e_latency = {"sglang:e2e_request_latency_seconds"},
    .engine_labels = {"engine_type", "dp_rank"},
    .copy_labels = {"tp_rank", "pp_rank", "moe_ep_rank", "cp_rank", "attn_cp_rank", "pid"},
};

/// Text Generation Inference. Its durations are in seconds, although the names do not say so. It
/// has no time to first token, and its time per token weights requests equally.
inline constexpr EngineTable tgi_table{
    .name = "tgi",
    .title = "Text Generation Inference",
    .prefix = "tgi_",
    .running = {"tgi_batch_current_size", "tgi_queue_size"},
    .arrival_rate = {"tgi_request_success"},
    .input_tokens = {"tgi_request_input_length"},
    .output_tokens = {"tgi_request_generated_tokens"},
    .itl = {"tgi_request_mean_time_per_token_duration"},
    .queue_length = {"tgi_queue_size"},
    .generation_rate = {"tgi_request_generated_tokens_sum"},
    .running_requests = {"tgi_batch_current_size"},
    .queue_time = {"tgi_request_queue_duration"},
    .e2e_latency = {"tgi_request_duration"},
    .model_label = "",
};

/// TensorRT-LLM by `trtllm-serve`. Older versions behind Dynamo have a colon after the prefix.
inline constexpr EngineTable trtllm_table{
    .name = "trtllm",
    .title = "TensorRT-LLM",
    .prefix = "trtllm",
    .running = {"trtllm_num_requests_running", "trtllm:num_requests_running"},
    .arrival_rate = {"trtllm_request_success_total", "trtllm:request_success_total"},
    .input_tokens = {"trtllm_prompt_tokens_total / trtllm_request_success_total"},
    .output_tokens = {"trtllm_generation_tokens_total / trtllm_request_success_total"},
    .ttft = {"trtllm_time_to_first_token_seconds", "trtllm:time_to_first_token_seconds"},
    .itl = {"trtllm_time_per_output_token_seconds", "trtllm:time_per_output_token_seconds"},
    .kv_cache_usage = {"trtllm_kv_cache_utilization", "trtllm:kv_cache_utilization"},
    .queue_length = {"trtllm_num_requests_waiting", "trtllm:num_requests_waiting"},
    .kv_capacity = {"trtllm_kv_cache_max_blocks * trtllm_kv_cache_tokens_per_block"},
    .prefix_cache_hit_rate = {"trtllm_prompt_cached_tokens_total / trtllm_prompt_tokens_total"},
    .generation_rate = {"trtllm_generation_tokens_total"},
    .running_requests = {"trtllm_num_requests_running", "trtllm:num_requests_running"},
    .queue_time = {"trtllm_request_queue_time_seconds", "trtllm:request_queue_time_seconds"},
    .e2e_latency = {"trtllm_e2e_request_latency_seconds", "trtllm:e2e_request_latency_seconds"},
};

/// Triton with the backend of TensorRT-LLM. One family has a series for each kind of request or
/// block. `nv_inference_exec_count` is a counter, not what runs. The histogram of the first response
/// is not listed: without streaming it holds the time of the whole request.
inline constexpr EngineTable triton_table{
    .name = "triton",
    .title = "Triton with TensorRT-LLM",
    .prefix = "nv_",
    .running = {R"(nv_trt_llm_request_metrics{request_type="scheduled"})",
                "nv_inference_pending_request_count"},
    .arrival_rate = {"nv_inference_request_success"},
    .kv_cache_usage = {R"(nv_trt_llm_kv_cache_block_metrics{kv_cache_block_type="fraction"})"},
    .queue_length = {R"(nv_trt_llm_request_metrics{request_type="waiting"})",
                     "nv_inference_pending_request_count"},
    .kv_capacity = {R"(nv_trt_llm_kv_cache_block_metrics{kv_cache_block_type="max"} * )"
                    R"(nv_trt_llm_kv_cache_block_metrics{kv_cache_block_type="tokens_per"})"},
    .running_requests = {R"(nv_trt_llm_request_metrics{request_type="scheduled"})"},
    .model_label = "model",
    .engine_labels = {"version"},
};

/// LMDeploy. `engine` is the rank of data parallelism. Its counter of generated tokens counts each
/// one twice, and it has no counter of finished requests: the histograms have both.
inline constexpr EngineTable lmdeploy_table{
    .name = "lmdeploy",
    .title = "LMDeploy",
    .prefix = "lmdeploy:",
    .running = {"lmdeploy:num_requests_running"},
    .arrival_rate = {"lmdeploy:e2e_request_latency_seconds_count"},
    .input_tokens = {"lmdeploy:request_prompt_tokens"},
    .output_tokens = {"lmdeploy:request_generation_tokens"},
    .ttft = {"lmdeploy:time_to_first_token_seconds"},
    .itl = {"lmdeploy:time_per_output_token_seconds"},
    .kv_cache_usage = {"lmdeploy:gpu_cache_usage_perc"},
    .queue_length = {"lmdeploy:num_requests_waiting"},
    .generation_rate = {"lmdeploy:request_generation_tokens_sum"},
    .running_requests = {"lmdeploy:num_requests_running"},
    .queue_time = {"lmdeploy:request_queue_time_seconds"},
    .e2e_latency = {"lmdeploy:e2e_request_latency_seconds"},
    .engine_labels = {"engine"},
};

/// llama.cpp, with `--metrics`. It does not tell how full its KV cache is, nor when a first token
/// came, nor how many requests have finished. Each slot adds its own time of generation, so that
/// seconds by tokens is the time between the tokens of one request.
inline constexpr EngineTable llama_cpp_table{
    .name = "llama_cpp",
    .title = "llama.cpp",
    .prefix = "llamacpp:",
    .running = {"llamacpp:requests_processing"},
    .itl = {"llamacpp:tokens_predicted_seconds_total / llamacpp:tokens_predicted_total"},
    .queue_length = {"llamacpp:requests_deferred"},
    .generation_rate = {"llamacpp:tokens_predicted_total"},
    .running_requests = {"llamacpp:requests_processing"},
    .model_label = "",
};

/// vLLM under Ray Serve. One page has all workers of a node. A counter is there twice, with and
/// without `_total`: the second name stands in only where the first is missing.
inline constexpr EngineTable ray_table{
    .name = "ray",
    .title = "Ray Serve LLM",
    .prefix = "ray_vllm_",
    .running = {"ray_vllm_num_requests_running"},
    .arrival_rate = {"ray_vllm_request_success_total", "ray_vllm_request_success"},
    .input_tokens = {"ray_vllm_request_prompt_tokens"},
    .output_tokens = {"ray_vllm_request_generation_tokens"},
    .ttft = {"ray_vllm_time_to_first_token_seconds"},
    .itl = {"ray_vllm_inter_token_latency_seconds", "ray_vllm_time_per_output_token_seconds"},
    .kv_cache_usage = {"ray_vllm_kv_cache_usage_perc", "ray_vllm_gpu_cache_usage_perc"},
    .queue_length = {R"(ray_vllm_num_requests_waiting_by_reason{reason="capacity"})",
                     "ray_vllm_num_requests_waiting"},
    .kv_capacity = {"ray_vllm_cache_config_info[num_gpu_blocks * block_size]"},
    .prefix_cache_hit_rate = {"ray_vllm_prefix_cache_hits_total / "
                              "ray_vllm_prefix_cache_queries_total",
                              "ray_vllm_prefix_cache_hits / ray_vllm_prefix_cache_queries"},
    .generation_rate = {"ray_vllm_generation_tokens_total", "ray_vllm_generation_tokens"},
    .running_requests = {"ray_vllm_num_requests_running"},
    .queue_time = {"ray_vllm_request_queue_time_seconds"},
    .e2e_latency = {"ray_vllm_e2e_request_latency_seconds"},
    .engine_labels = {"engine", "WorkerId", "ReplicaId"},
};

/// NVIDIA Dynamo: its frontends have queues and latencies, its workers the KV cache. A worker's page
/// also has the metrics of the engine that it runs. What waits in the router
/// (`router_queue_pending_requests`) is a part of what waits at the frontend.
inline constexpr EngineTable dynamo_table{
    .name = "dynamo",
    .title = "NVIDIA Dynamo",
    .prefix = "dynamo_",
    .running = {"dynamo_frontend_inflight_requests", "dynamo_component_inflight_requests"},
    .arrival_rate = {"dynamo_frontend_request_duration_seconds_count"},
    .input_tokens = {"dynamo_frontend_input_sequence_tokens"},
    .output_tokens = {"dynamo_frontend_output_sequence_tokens"},
    .ttft = {"dynamo_frontend_time_to_first_token_seconds"},
    .itl = {"dynamo_frontend_inter_token_latency_seconds"},
    .kv_cache_usage = {"dynamo_component_kvstats_gpu_cache_usage_percent",
                       "dynamo_component_gpu_cache_usage_percent"},
    .queue_length = {"dynamo_frontend_queued_requests"},
    .generation_rate = {"dynamo_frontend_output_sequence_tokens_sum"},
    .running_requests = {"dynamo_frontend_inflight_requests", "dynamo_component_inflight_requests"},
    .e2e_latency = {"dynamo_frontend_request_duration_seconds"},
    .model_label = "model",
    .engine_labels = {"dp_rank", "worker_id", "worker_type", "dynamo_component", "dynamo_endpoint"},
};

/// vLLM under KServe, whose scrape may copy each series to another prefix. A page or a store can
/// hold both; the second name stands in only where the first is missing.
inline constexpr EngineTable kserve_table{
    .name = "kserve",
    .title = "KServe with vLLM",
    .prefix = "kserve_vllm:",
    .running = {"kserve_vllm:num_requests_running", "vllm:num_requests_running"},
    .arrival_rate = {"kserve_vllm:request_success_total", "vllm:request_success_total"},
    .input_tokens = {"kserve_vllm:request_prompt_tokens", "vllm:request_prompt_tokens"},
    .output_tokens = {"kserve_vllm:request_generation_tokens", "vllm:request_generation_tokens"},
    .ttft = {"kserve_vllm:time_to_first_token_seconds", "vllm:time_to_first_token_seconds"},
    .itl = {"kserve_vllm:inter_token_latency_seconds", "vllm:inter_token_latency_seconds",
            "kserve_vllm:time_per_output_token_seconds", "vllm:time_per_output_token_seconds"},
    .kv_cache_usage = {"kserve_vllm:kv_cache_usage_perc", "vllm:kv_cache_usage_perc",
                       "kserve_vllm:gpu_cache_usage_perc", "vllm:gpu_cache_usage_perc"},
    .queue_length = {R"(kserve_vllm:num_requests_waiting_by_reason{reason="capacity"})",
                     R"(vllm:num_requests_waiting_by_reason{reason="capacity"})",
                     "kserve_vllm:num_requests_waiting", "vllm:num_requests_waiting"},
    .kv_capacity = {"kserve_vllm:cache_config_info[num_gpu_blocks * block_size]",
                    "vllm:cache_config_info[num_gpu_blocks * block_size]"},
    .prefix_cache_hit_rate = {"kserve_vllm:prefix_cache_hits_total / "
                              "kserve_vllm:prefix_cache_queries_total",
                              "vllm:prefix_cache_hits_total / vllm:prefix_cache_queries_total"},
    .generation_rate = {"kserve_vllm:generation_tokens_total", "vllm:generation_tokens_total"},
    .running_requests = {"kserve_vllm:num_requests_running", "vllm:num_requests_running"},
    .queue_time = {"kserve_vllm:request_queue_time_seconds", "vllm:request_queue_time_seconds"},
    .e2e_latency = {"kserve_vllm:e2e_request_latency_seconds", "vllm:e2e_request_latency_seconds"},
    .engine_labels = {"engine"},
};

} // namespace wva_metrics
