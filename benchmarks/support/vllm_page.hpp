// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wva_metrics/exposition/wanted_metrics.hpp>

#include <array>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bench {

/// Writes a page of 90 kB as vLLM does, with two engines: 20 histograms of 11 to 23 buckets, 26 counters with
/// their times of creation, gauges and an info.
class VllmPage {
public:
    std::string text{};

    void write() {
        static constexpr std::array<std::string_view, 20> histograms{
            "time_to_first_token_seconds",
            "inter_token_latency_seconds",
            "e2e_request_latency_seconds",
            "request_queue_time_seconds",
            "request_inference_time_seconds",
            "request_prefill_time_seconds",
            "request_decode_time_seconds",
            "request_prompt_tokens",
            "request_generation_tokens",
            "iteration_tokens_total",
            "request_params_n",
            "request_params_max_tokens",
            "request_max_num_generation_tokens",
            "request_time_per_output_token_seconds",
            "request_prefill_kv_computed_tokens",
            "kv_block_lifetime_seconds",
            "kv_block_idle_before_evict_seconds",
            "kv_block_reuse_gap_seconds",
            "spec_decode_acceptance_length",
            "request_success_latency_seconds"};
        static constexpr std::array<std::string_view, 16> counters{
            "prompt_tokens",
            "generation_tokens",
            "prefix_cache_queries",
            "prefix_cache_hits",
            "num_preemptions",
            "external_prefix_cache_queries",
            "mm_cache_queries",
            "mm_cache_hits",
            "corrupted_requests",
            "prompt_tokens_cached",
            "prompt_tokens_recomputed",
            "spec_decode_num_drafts",
            "spec_decode_num_accepted_tokens",
            "request_success",
            "lora_swaps",
            "estimated_flops_per_gpu"};
        static constexpr std::array<std::string_view, 8> gauges{
            "num_requests_running", "num_requests_waiting", "kv_cache_usage_perc",
            "engine_sleep_state",   "num_requests_swapped", "cpu_cache_usage_perc",
            "lora_requests_info",   "cache_config_info"};
        for (const std::string_view name : gauges)
            write_family(name, "gauge", {""});
        for (const std::string_view name : counters) {
            write_family(std::string(name) + "_total", "counter", {""});
            write_family(std::string(name) + "_created", "gauge", {""});
        }
        for (const std::string_view name : histograms)
            write_histogram(std::string(name));
    }

private:
    void write_head(const std::string& name, std::string_view type) {
        text +=
            "# HELP vllm:" + name + " Histogram or count of what the engine does, as it says.\n";
        text += "# TYPE vllm:" + name + " " + std::string(type) + "\n";
    }
    void write_sample(const std::string& name, int engine, const std::string& more, double value) {
        text += "vllm:" + name + "{engine=\"" + std::to_string(engine) + "\"," + more +
                "model_name=\"meta-llama/Llama-3.1-8B-Instruct\"} " +
                std::to_string(value).substr(0, 8) + "\n";
    }
    double below(unsigned count) { return static_cast<double>(random_() % count); }

    void write_family(std::string_view family, std::string_view type,
                      const std::vector<std::string>& endings) {
        const std::string name(family);
        write_head(name, type);
        for (int engine = 0; engine < 2; ++engine)
            for (const std::string& ending : endings)
                write_sample(name + ending, engine, "", below(1'000'000) / 100);
    }
    void write_histogram(const std::string& name) {
        static constexpr std::array<std::string_view, 14> bounds{
            "0.001", "0.005", "0.01", "0.02", "0.04", "0.06", "0.08",
            "0.1",   "0.25",  "0.5",  "1.0",  "2.5",  "10.0", "+Inf"};
        write_head(name, "histogram");
        for (int engine = 0; engine < 2; ++engine) {
            double count = 0;
            for (const std::string_view bound : bounds)
                write_sample(name + "_bucket", engine, "le=\"" + std::string(bound) + "\",",
                             count += below(1000));
            write_sample(name + "_count", engine, "", count);
            write_sample(name + "_sum", engine, "", below(1'000'000) / 100);
        }
    }

    std::mt19937 random_{1}; // A fixed seed, so that every run reads the same page.
};

/// The same page in every run.
inline std::string vllm_page() {
    VllmPage page;
    page.write();
    return std::move(page.text);
}

/// What a collector asks for: 7 families of numbers, and sum and count of 4 histograms.
inline std::vector<std::string> wanted_vllm_names() {
    std::vector<std::string> names{"vllm:num_requests_running",   "vllm:num_requests_waiting",
                                   "vllm:kv_cache_usage_perc",    "vllm:cache_config_info",
                                   "vllm:prompt_tokens_total",    "vllm:generation_tokens_total",
                                   "vllm:prefix_cache_hits_total"};
    for (const std::string name : {"time_to_first_token_seconds", "inter_token_latency_seconds",
                                   "request_prompt_tokens", "request_generation_tokens"}) {
        names.push_back("vllm:" + name + "_sum");
        names.push_back("vllm:" + name + "_count");
    }
    return names;
}

/// The same, compiled.
inline wva_metrics::exposition::WantedMetrics wanted_vllm_metrics() {
    return wva_metrics::exposition::WantedMetrics(wanted_vllm_names());
}

} // namespace bench
