// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "dialect.hpp"

#include <string>

namespace vllm_fleet {

// vLLM under Ray Serve: one page for all workers of a node, each of which calls its engine 0. A
// counter is there twice; the twin without _total is a gauge.

inline constexpr DialectRow ray_rows[] = {
    gauge("ray_vllm_num_requests_running", "Requests that run.", measured::running),
    gauge("ray_vllm_num_requests_waiting", "Requests that wait.", measured::waiting),
    gauge("ray_vllm_kv_cache_usage_perc", "Used share of the KV cache.", measured::kv_usage),
    counter("ray_vllm_request_success_total", "Finished requests.", measured::finished),
    gauge("ray_vllm_request_success", "Finished requests.", measured::finished),
    counter("ray_vllm_prefix_cache_queries_total", "Tokens looked up in the prefix cache.",
            measured::queried_tokens),
    gauge("ray_vllm_prefix_cache_queries", "Tokens looked up in the prefix cache.",
          measured::queried_tokens),
    counter("ray_vllm_prefix_cache_hits_total", "Tokens found in the prefix cache.",
            measured::cached_tokens),
    gauge("ray_vllm_prefix_cache_hits", "Tokens found in the prefix cache.",
          measured::cached_tokens),
    histogram("ray_vllm_request_prompt_tokens", "Tokens of a prompt.",
              &Engine::request_prompt_tokens),
    histogram("ray_vllm_request_generation_tokens", "Tokens generated for a request.",
              &Engine::request_generation_tokens),
    histogram("ray_vllm_time_to_first_token_seconds", "Time to first token.",
              &Engine::time_to_first_token),
    histogram("ray_vllm_inter_token_latency_seconds", "Time between two tokens of a request.",
              &Engine::inter_token_latency),
    histogram("ray_vllm_e2e_request_latency_seconds", "Time of a request.",
              &Engine::e2e_request_latency),
};

inline constexpr Dialect ray_dialect{"ray", ray_rows, [](const SeriesOwner& owner) {
                                         const std::string number = std::to_string(owner.engine);
                                         return Labels{
                                             {"model_name", owner.model.id},
                                             {"engine", "0"},
                                             {"WorkerId", owner.pod.uid + '-' + number},
                                             {"ReplicaId", owner.pod.name + '-' + number}};
                                     }};

} // namespace vllm_fleet
