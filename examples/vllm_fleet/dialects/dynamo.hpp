// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "dialect.hpp"

namespace vllm_fleet {

// NVIDIA Dynamo with a frontend and a worker in one pod: queue and latencies are the frontend's, the
// KV cache is the worker's.

inline constexpr DialectRow dynamo_rows[] = {
    gauge("dynamo_frontend_inflight_requests", "Requests in flight.", measured::running),
    gauge("dynamo_frontend_queued_requests", "Requests in the queue.", measured::waiting),
    histogram("dynamo_frontend_request_duration_seconds", "Time of a request.",
              &Engine::e2e_request_latency),
    histogram("dynamo_frontend_input_sequence_tokens", "Tokens of a prompt.",
              &Engine::request_prompt_tokens),
    histogram("dynamo_frontend_output_sequence_tokens", "Tokens generated for a request.",
              &Engine::request_generation_tokens),
    histogram("dynamo_frontend_time_to_first_token_seconds", "Time to first token.",
              &Engine::time_to_first_token),
    histogram("dynamo_frontend_inter_token_latency_seconds", "Time between two tokens.",
              &Engine::inter_token_latency),
    gauge("dynamo_component_kvstats_gpu_cache_usage_percent", "Used share of the KV cache, 0 to 1.",
          measured::kv_usage, Scope::part),
    gauge("dynamo_component_kvstats_total_blocks", "Blocks of the KV cache.",
          measured::kv_blocks_max, Scope::part),
};

inline constexpr Dialect dynamo_dialect{"dynamo", dynamo_rows,
                                        [](const SeriesOwner& owner) {
                                            Labels labels{{"model", owner.model.id}};
                                            if (owner.scope == Scope::part)
                                                for (const auto& [name, value] :
                                                     Labels{{"dynamo_namespace", "dynamo"},
                                                            {"dynamo_component", "backend"},
                                                            {"dynamo_endpoint", "generate"},
                                                            {"worker_id", owner.pod.uid},
                                                            {"dp_rank", "0"}})
                                                    labels.emplace_back(name, value);
                                            return labels;
                                        },
                                        1, true};

} // namespace vllm_fleet
