// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "dialect.hpp"

#include <string>

namespace vllm_fleet {

// vLLM under KServe: what vLLM writes, and a copy of it under another prefix.

inline constexpr DialectRow kserve_rows[] = {
    gauge("kserve_vllm:num_requests_running", "Requests that run.", measured::running),
    gauge("kserve_vllm:num_requests_waiting", "Requests that wait.", measured::waiting),
    gauge("kserve_vllm:kv_cache_usage_perc", "Used share of the KV cache.", measured::kv_usage),
    counter("kserve_vllm:request_success_total", "Finished requests.", measured::finished),
    histogram("kserve_vllm:request_prompt_tokens", "Tokens of a prompt.",
              &Engine::request_prompt_tokens),
    histogram("kserve_vllm:request_generation_tokens", "Tokens generated for a request.",
              &Engine::request_generation_tokens),
    histogram("kserve_vllm:time_to_first_token_seconds", "Time to first token.",
              &Engine::time_to_first_token),
    histogram("kserve_vllm:inter_token_latency_seconds", "Time between two tokens of a request.",
              &Engine::inter_token_latency),
};

inline constexpr Dialect kserve_dialect{
    "kserve",
    kserve_rows,
    [](const SeriesOwner& owner) {
        return Labels{{"model_name", owner.model.id},
                      {"engine", std::to_string(owner.engine)},
                      {"llm_isvc_component", "llminferenceservice-workload"},
                      {"llm_isvc_role", "both"}};
    },
    1,
    false,
    true};

} // namespace vllm_fleet
