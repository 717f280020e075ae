// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string_view>

namespace wva_metrics {

/// A kind of inference server, and the metric that says how many requests run in it.
struct KnownEngine {
    std::string_view name;    ///< For people.
    std::string_view running; ///< The metric's name.
};

/// The kinds of servers that a diagnosis recognizes by their metrics.
inline constexpr std::array<KnownEngine, 6> known_engines = {{
    {"vLLM", "vllm:num_requests_running"},
    {"SGLang", "sglang:num_running_reqs"},
    {"Text Generation Inference", "tgi_batch_current_size"},
    {"TensorRT-LLM", "nv_trt_llm_request_metrics"},
    {"llama.cpp", "llamacpp:requests_processing"},
    {"LMDeploy", "lmdeploy:num_requests_running"},
}};

} // namespace wva_metrics
