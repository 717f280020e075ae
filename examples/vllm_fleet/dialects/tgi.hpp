// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "dialect.hpp"

namespace vllm_fleet {

// Text Generation Inference: no labels, no KV cache, and durations in seconds without saying so.

inline constexpr DialectRow tgi_rows[] = {
    counter("tgi_request_count", "Requests.", measured::finished),
    counter("tgi_request_success", "Requests that succeeded.", measured::finished),
    gauge("tgi_queue_size", "Requests in the queue.", measured::waiting),
    gauge("tgi_batch_current_size", "Requests in the batch.", measured::running),
    gauge("tgi_batch_current_max_tokens", "Tokens that the batch may grow to.",
          measured::kv_tokens_used),
    histogram("tgi_request_input_length", "Tokens of the prompt.", &Engine::request_prompt_tokens),
    histogram("tgi_request_generated_tokens", "Tokens generated.",
              &Engine::request_generation_tokens),
    histogram("tgi_request_queue_duration", "Time in the queue.", &Engine::request_queue_time),
    histogram("tgi_request_mean_time_per_token_duration", "Mean time per token of a request.",
              &Engine::request_mean_token_time),
    histogram("tgi_request_duration", "Time of a request.", &Engine::e2e_request_latency),
};

inline constexpr Dialect tgi_dialect{"tgi", tgi_rows, [](const SeriesOwner&) { return Labels{}; },
                                     1, true};

} // namespace vllm_fleet
