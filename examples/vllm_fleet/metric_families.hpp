// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace vllm_fleet {

/// Versions of vLLM that differ in their metric names. Bits, so that a metric can have several.
enum Names : unsigned { v0_8 = 1, v0_10 = 2, current = 4, every_version = v0_8 | v0_10 | current };

/// Which series are exposed, and which are wrong on purpose.
struct View {
    struct NotANumber {
        std::string metric;
        std::string pod; ///< Empty: all pods.
    };

    Names names = current;
    bool lean = false; ///< On the fleet's page, only series that an autoscaler reads.
    bool kube_state_metrics = true;
    std::set<std::string, std::less<>> dropped;
    std::vector<NotANumber> not_a_number;
};

/// A metric with one number per engine.
struct ScalarFamily {
    std::string_view name;
    std::string_view type;
    std::string_view help;
    unsigned versions; ///< Bits of Names.
    bool lean;         ///< An autoscaler reads it.
    double (*value)(const Engine&);
};

struct HistogramFamily {
    std::string_view name;
    std::string_view help;
    unsigned versions;
    bool lean;
    Histogram Engine::*histogram;
};

inline constexpr std::string_view success_name = "vllm:request_success_total";
inline constexpr std::string_view cache_config_name = "vllm:cache_config_info";

inline constexpr ScalarFamily scalar_families[] = {
    {"vllm:num_requests_running", "gauge", "Number of requests in model execution batches.",
     every_version, true, [](const Engine& e) { return static_cast<double>(e.running()); }},
    {"vllm:num_requests_waiting", "gauge", "Number of requests waiting to be processed.",
     every_version, true, [](const Engine& e) { return static_cast<double>(e.waiting()); }},
    {"vllm:kv_cache_usage_perc", "gauge", "KV-cache usage. 1 means 100 percent usage.",
     v0_10 | current, true, [](const Engine& e) { return e.kv_cache_usage(); }},
    {"vllm:gpu_cache_usage_perc", "gauge", "GPU KV-cache usage. 1 means 100 percent usage.",
     v0_8 | v0_10, true, [](const Engine& e) { return e.kv_cache_usage(); }},
    {"vllm:prefix_cache_queries_total", "counter", "Tokens looked up in the prefix cache.",
     v0_10 | current, false,
     [](const Engine& e) { return static_cast<double>(e.prefix_cache_queries); }},
    {"vllm:prefix_cache_hits_total", "counter", "Tokens found in the prefix cache.",
     v0_10 | current, false,
     [](const Engine& e) { return static_cast<double>(e.prefix_cache_hits); }},
    {"vllm:gpu_prefix_cache_queries_total", "counter", "Tokens looked up in the prefix cache.",
     v0_8 | v0_10, false,
     [](const Engine& e) { return static_cast<double>(e.prefix_cache_queries); }},
    {"vllm:gpu_prefix_cache_hits_total", "counter", "Tokens found in the prefix cache.",
     v0_8 | v0_10, false, [](const Engine& e) { return static_cast<double>(e.prefix_cache_hits); }},
    {"vllm:num_preemptions_total", "counter", "Requests preempted by the engine.", every_version,
     false, [](const Engine& e) { return static_cast<double>(e.preemptions); }},
    {"vllm:prompt_tokens_total", "counter", "Prefill tokens processed.", every_version, false,
     [](const Engine& e) { return static_cast<double>(e.prompt_tokens); }},
    {"vllm:generation_tokens_total", "counter", "Generation tokens processed.", every_version,
     false, [](const Engine& e) { return static_cast<double>(e.generation_tokens); }},
};

inline constexpr HistogramFamily histogram_families[] = {
    {"vllm:request_prompt_tokens", "Prefill tokens of a request.", every_version, true,
     &Engine::request_prompt_tokens},
    {"vllm:request_generation_tokens", "Generation tokens of a request.", every_version, true,
     &Engine::request_generation_tokens},
    {"vllm:iteration_tokens_total", "Tokens per engine step.", every_version, false,
     &Engine::iteration_tokens},
    {"vllm:time_to_first_token_seconds", "Time to first token.", every_version, true,
     &Engine::time_to_first_token},
    {"vllm:inter_token_latency_seconds", "Time between two tokens of a request.", current, true,
     &Engine::inter_token_latency},
    {"vllm:time_per_output_token_seconds", "Time per output token.", v0_8 | v0_10, true,
     &Engine::inter_token_latency},
    {"vllm:e2e_request_latency_seconds", "Request latency from arrival to the last token.",
     every_version, false, &Engine::e2e_request_latency},
    {"vllm:request_queue_time_seconds", "Time in the queue.", every_version, false,
     &Engine::request_queue_time},
    {"vllm:request_prefill_time_seconds", "Time in prefill.", every_version, false,
     &Engine::request_prefill_time},
    {"vllm:request_decode_time_seconds", "Time in decode.", every_version, false,
     &Engine::request_decode_time},
};

inline constexpr std::array<std::string_view, 3> kube_families = {"kube_pod_info", "kube_pod_owner",
                                                                  "kube_replicaset_owner"};

/// True if this is the name of a metric, or of a histogram's series, in any version.
inline bool is_metric_name(std::string_view name) {
    if (name == success_name || name == cache_config_name ||
        std::ranges::find(kube_families, name) != kube_families.end() ||
        std::ranges::find(scalar_families, name, &ScalarFamily::name) != std::end(scalar_families))
        return true;
    return std::ranges::any_of(histogram_families, [&](const HistogramFamily& family) {
        if (!name.starts_with(family.name))
            return false;
        const std::string_view suffix = name.substr(family.name.size());
        return suffix.empty() || suffix == "_bucket" || suffix == "_sum" || suffix == "_count";
    });
}

} // namespace vllm_fleet
