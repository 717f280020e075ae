// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "dialect.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace vllm_fleet {

// SGLang with two ranks of tensor parallelism, each of which writes all gauges under its own process
// id. With prefill and decode apart, half of what waits is in the queue of the role.

namespace sglang {

constexpr std::size_t ranks = 2;

template <const char* Role>
Labels labels(const SeriesOwner& owner) {
    Labels labels{{"engine_type", Role}, {"model_name", owner.model.id}};
    const bool is_part = owner.scope == Scope::part;
    if (is_part || owner.pod.engines.size() > 1)
        labels.emplace_back("dp_rank", std::to_string(owner.engine));
    if (is_part) {
        labels.emplace_back("moe_ep_rank", std::to_string(owner.copy));
        labels.emplace_back("pp_rank", "0");
        labels.emplace_back("tp_rank", std::to_string(owner.copy));
        labels.emplace_back("pid",
                            std::to_string(owner.pod.pid + owner.engine * ranks + owner.copy));
    }
    return labels;
}

inline double in_role_queue(const Engine& e) {
    return static_cast<double>(e.waiting() / 2);
}
inline double in_general_queue(const Engine& e) {
    return measured::waiting(e) - in_role_queue(e);
}

constexpr DialectRow running = gauge("sglang:num_running_reqs", "The number of running requests.",
                                     measured::running, Scope::part);
constexpr DialectRow usage =
    gauge("sglang:token_usage", "The token usage.", measured::kv_usage, Scope::part);
constexpr DialectRow capacity =
    gauge("sglang:max_total_num_tokens", "Maximum total number of tokens in the KV cache pool.",
          measured::kv_tokens_max, Scope::part);
constexpr DialectRow requests =
    counter("sglang:num_requests_total", "Number of requests processed.", measured::finished);
constexpr DialectRow prompt = counter(
    "sglang:prompt_tokens_total", "Number of prefill tokens processed.", measured::prompt_tokens);
constexpr DialectRow generation =
    counter("sglang:generation_tokens_total", "Number of generation tokens processed.",
            measured::generation_tokens);
constexpr DialectRow cached = counter("sglang:cached_tokens_total",
                                      "Number of cached prompt tokens.", measured::cached_tokens);
constexpr DialectRow first_token =
    histogram("sglang:time_to_first_token_seconds", "Histogram of time to first token in seconds.",
              &Engine::time_to_first_token);
constexpr DialectRow token_latency =
    histogram("sglang:inter_token_latency_seconds", "Histogram of inter-token latency in seconds.",
              &Engine::inter_token_latency);
constexpr DialectRow latency =
    histogram("sglang:e2e_request_latency_seconds",
              "Histogram of End-to-end request latency in seconds.", &Engine::e2e_request_latency);

constexpr DialectRow unified_rows[] = {
    running,
    gauge("sglang:num_queue_reqs", "The number of requests in the waiting queue.",
          measured::waiting, Scope::part),
    usage,
    capacity,
    requests,
    prompt,
    generation,
    cached,
    first_token,
    token_latency,
    latency,
};

constexpr DialectRow general_queue =
    gauge("sglang:num_queue_reqs", "The number of requests in the waiting queue.", in_general_queue,
          Scope::part);

constexpr DialectRow prefill_rows[] = {
    running,
    general_queue,
    gauge("sglang:num_prefill_bootstrap_queue_reqs",
          "The number of requests in the prefill bootstrap queue.", in_role_queue, Scope::part),
    usage,
    capacity,
    requests,
    prompt,
    generation,
    cached,
    first_token,
    token_latency,
    latency,
};

constexpr DialectRow decode_rows[] = {
    running,
    general_queue,
    gauge("sglang:num_decode_prealloc_queue_reqs",
          "The number of requests in the decode prealloc queue.", in_role_queue, Scope::part),
    usage,
    capacity,
    requests,
    prompt,
    generation,
    cached,
    first_token,
    token_latency,
    latency,
};

inline constexpr char unified[] = "unified";
inline constexpr char prefill[] = "prefill";
inline constexpr char decode[] = "decode";

} // namespace sglang

inline constexpr Dialect sglang_dialect{"sglang", sglang::unified_rows,
                                        sglang::labels<sglang::unified>, sglang::ranks};
inline constexpr Dialect sglang_prefill_dialect{"sglang_prefill", sglang::prefill_rows,
                                                sglang::labels<sglang::prefill>, sglang::ranks};
inline constexpr Dialect sglang_decode_dialect{"sglang_decode", sglang::decode_rows,
                                               sglang::labels<sglang::decode>, sglang::ranks};

} // namespace vllm_fleet
