// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "dialect.hpp"

#include <string>

namespace vllm_fleet {

// Triton with TensorRT-LLM: one family with a label for each kind of number, durations in
// microseconds, and nv_inference_exec_count, which is a counter.

namespace triton {

constexpr DialectRow requests(double (*value)(const Engine&), std::string_view type) {
    return gauge("nv_trt_llm_request_metrics", "TRT LLM request metrics", value, Scope::server,
                 "request_type", type);
}
constexpr DialectRow blocks(double (*value)(const Engine&), std::string_view type) {
    return gauge("nv_trt_llm_kv_cache_block_metrics", "TRT LLM KV cache block metrics", value,
                 Scope::server, "kv_cache_block_type", type);
}

inline double active(const Engine& e) {
    return measured::running(e) + measured::waiting(e);
}
inline double free_blocks(const Engine& e) {
    return measured::kv_blocks_max(e) - measured::kv_blocks_used(e);
}

constexpr DialectRow rows[] = {
    counter("nv_inference_request_success", "Number of successful inference requests",
            measured::finished),
    counter("nv_inference_exec_count", "Number of model executions performed",
            measured::count_of<&Engine::iteration_tokens>),
    counter("nv_inference_request_duration_us", "Cumulative inference request duration",
            measured::microseconds_of<&Engine::e2e_request_latency>),
    counter("nv_inference_queue_duration_us", "Cumulative inference queuing duration",
            measured::microseconds_of<&Engine::request_queue_time>),
    gauge("nv_inference_pending_request_count", "Instantaneous number of pending requests",
          measured::waiting),
    requests(measured::waiting, "waiting"),
    requests(measured::running, "scheduled"),
    requests(active, "active"),
    requests([](const Engine& e) { return static_cast<double>(e.profile().max_running); }, "max"),
    blocks(measured::kv_usage, "fraction"),
    blocks(measured::kv_blocks_used, "used"),
    blocks(free_blocks, "free"),
    blocks(measured::kv_blocks_max, "max"),
    blocks([](const Engine&) { return measured::kv_block_tokens; }, "tokens_per"),
};

} // namespace triton

inline constexpr Dialect triton_dialect{
    "triton", triton::rows, [](const SeriesOwner& owner) {
        return Labels{{"model", owner.model.id}, {"version", std::to_string(owner.engine + 1)}};
    }};

} // namespace vllm_fleet
