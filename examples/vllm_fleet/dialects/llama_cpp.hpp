// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "dialect.hpp"

namespace vllm_fleet {

// The server of llama.cpp: no labels, no KV cache, no time to first token, no finished requests. It
// counts what a request did when the request has ended.

namespace llama_cpp {

inline double generated(const Engine& e) {
    return e.request_generation_tokens.sum;
}
inline double generated_per_second(const Engine& e) {
    const double seconds = e.request_decode_time.sum;
    return seconds > 0 ? generated(e) / seconds : 0;
}

constexpr DialectRow rows[] = {
    counter("llamacpp:prompt_tokens_total", "Number of prompt tokens processed.",
            measured::sum_of<&Engine::request_prompt_tokens>),
    counter("llamacpp:prompt_seconds_total", "Prompt process time",
            measured::sum_of<&Engine::request_prefill_time>),
    counter("llamacpp:tokens_predicted_total", "Number of generation tokens processed.", generated),
    counter("llamacpp:tokens_predicted_seconds_total", "Predict process time",
            measured::sum_of<&Engine::request_decode_time>),
    counter("llamacpp:n_decode_total", "Total number of llama_decode() calls",
            measured::count_of<&Engine::iteration_tokens>),
    gauge("llamacpp:predicted_tokens_seconds", "Average generation throughput in tokens/s.",
          generated_per_second),
    gauge("llamacpp:requests_processing", "Number of requests processing.", measured::running),
    gauge("llamacpp:requests_deferred", "Number of requests deferred.", measured::waiting),
};

} // namespace llama_cpp

inline constexpr Dialect llama_cpp_dialect{"llama_cpp", llama_cpp::rows,
                                           [](const SeriesOwner&) { return Labels{}; }, 1, true};

} // namespace vllm_fleet
