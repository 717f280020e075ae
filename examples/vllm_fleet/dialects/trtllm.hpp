// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "dialect.hpp"

namespace vllm_fleet {

// TensorRT-LLM by trtllm-serve: tokens only as counters.

inline constexpr DialectRow trtllm_rows[] = {
    gauge("trtllm_num_requests_running", "Requests that run.", measured::running),
    gauge("trtllm_num_requests_waiting", "Requests that wait.", measured::waiting),
    gauge("trtllm_kv_cache_utilization", "Used share of the KV cache.", measured::kv_usage),
    gauge("trtllm_kv_cache_used_blocks", "Used blocks of the KV cache.", measured::kv_blocks_used),
    gauge("trtllm_kv_cache_max_blocks", "Blocks of the KV cache.", measured::kv_blocks_max),
    gauge("trtllm_kv_cache_tokens_per_block", "Tokens of a block.",
          [](const Engine&) { return measured::kv_block_tokens; }),
    counter("trtllm_request_success_total", "Requests finished, by reason.",
            measured::finished_by<FinishReason::stop>, "finished_reason", "stop"),
    counter("trtllm_request_success_total", "Requests finished, by reason.",
            measured::finished_by<FinishReason::length>, "finished_reason", "length"),
    counter("trtllm_request_success_total", "Requests finished, by reason.",
            measured::finished_by<FinishReason::abort>, "finished_reason", "cancelled"),
    counter("trtllm_prompt_tokens_total", "Tokens of prompts.", measured::prompt_tokens),
    counter("trtllm_generation_tokens_total", "Generated tokens.", measured::generation_tokens),
    histogram("trtllm_time_to_first_token_seconds", "Time to first token.",
              &Engine::time_to_first_token),
    histogram("trtllm_time_per_output_token_seconds", "Time per output token.",
              &Engine::inter_token_latency),
    histogram("trtllm_e2e_request_latency_seconds", "Time of a request.",
              &Engine::e2e_request_latency),
    histogram("trtllm_request_queue_time_seconds", "Time in the queue.",
              &Engine::request_queue_time),
};

inline constexpr Dialect trtllm_dialect{
    "trtllm", trtllm_rows,
    [](const SeriesOwner& owner) {
        return Labels{{"model_name", owner.model.id}, {"engine_type", "trtllm"}};
    },
    1, true};

} // namespace vllm_fleet
