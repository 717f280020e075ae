// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "dialect.hpp"

#include <string>

namespace vllm_fleet {

// LMDeploy: its counter of generated tokens counts each one twice, and there is no counter of
// finished requests.

inline constexpr DialectRow lmdeploy_rows[] = {
    gauge("lmdeploy:num_requests_running", "Requests that run.", measured::running),
    gauge("lmdeploy:num_requests_waiting", "Requests that wait.", measured::waiting),
    gauge("lmdeploy:gpu_cache_usage_perc", "Used share of the KV cache.", measured::kv_usage),
    counter("lmdeploy:prompt_tokens_total", "Tokens of prompts.", measured::prompt_tokens),
    counter("lmdeploy:generation_tokens_total", "Generated tokens.",
            [](const Engine& e) { return 2 * measured::generation_tokens(e); }),
    histogram("lmdeploy:request_prompt_tokens", "Tokens of a prompt.",
              &Engine::request_prompt_tokens),
    histogram("lmdeploy:request_generation_tokens", "Tokens generated for a request.",
              &Engine::request_generation_tokens),
    histogram("lmdeploy:time_to_first_token_seconds", "Time to first token.",
              &Engine::time_to_first_token),
    histogram("lmdeploy:time_per_output_token_seconds", "Time per output token.",
              &Engine::inter_token_latency),
    histogram("lmdeploy:e2e_request_latency_seconds", "Time of a request.",
              &Engine::e2e_request_latency),
    histogram("lmdeploy:request_queue_time_seconds", "Time in the queue.",
              &Engine::request_queue_time),
};

inline constexpr Dialect lmdeploy_dialect{
    "lmdeploy", lmdeploy_rows, [](const SeriesOwner& owner) {
        return Labels{{"model_name", owner.model.id}, {"engine", std::to_string(owner.engine)}};
    }};

} // namespace vllm_fleet
