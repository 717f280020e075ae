// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine.hpp"

#include <array>
#include <cstddef>
#include <random>
#include <string>
#include <string_view>

namespace vllm_fleet {

/// The id of the model with this index: first some well-known ones, then an unlimited number of
/// fine-tunes of them.
inline std::string model_id(std::size_t index) {
    static constexpr std::array<std::string_view, 20> known = {
        "meta-llama/Llama-3.1-8B-Instruct",
        "mistralai/Mistral-7B-Instruct-v0.3",
        "Qwen/Qwen2.5-14B-Instruct",
        "meta-llama/Llama-3.3-70B-Instruct",
        "google/gemma-3-27b-it",
        "deepseek-ai/DeepSeek-R1-Distill-Qwen-32B",
        "microsoft/phi-4",
        "ibm-granite/granite-3.3-8b-instruct",
        "Qwen/Qwen3-30B-A3B",
        "mistralai/Mixtral-8x7B-Instruct-v0.1",
        "meta-llama/Llama-3.2-3B-Instruct",
        "Qwen/Qwen2.5-Coder-32B-Instruct",
        "openai/gpt-oss-20b",
        "google/gemma-3-4b-it",
        "mistralai/Mistral-Small-24B-Instruct-2501",
        "allenai/OLMo-2-1124-13B-Instruct",
        "nvidia/Llama-3.1-Nemotron-70B-Instruct-HF",
        "tiiuae/Falcon3-10B-Instruct",
        "CohereForAI/c4ai-command-r7b-12-2024",
        "01-ai/Yi-1.5-34B-Chat",
    };
    std::string id(known[index % known.size()]);
    if (index >= known.size())
        id += "-ft-" + std::to_string(index / known.size());
    return id;
}

/// A typical name of a model's deployment: the last part of the model id, changed to a valid
/// Kubernetes name of at most 40 characters.
inline std::string slug(std::string_view id) {
    std::string result;
    for (const char c : id.substr(id.rfind('/') + 1)) {
        const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
        if ((lower >= 'a' && lower <= 'z') || (lower >= '0' && lower <= '9'))
            result += lower;
        else if (!result.empty() && result.back() != '-')
            result += '-';
        if (result.size() == 40)
            break;
    }
    while (!result.empty() && result.back() == '-')
        result.pop_back();
    return result.empty() ? "model" : result;
}

inline std::string random_string(std::string_view alphabet, std::size_t length, Rng& rng) {
    std::string result;
    while (result.size() < length)
        result += alphabet[rng() % alphabet.size()];
    return result;
}

/// The hash in a ReplicaSet's name, which Kubernetes derives from the pod template.
inline std::string replica_set_hash(Rng& rng) {
    return random_string("456789bcdf", 8 + rng() % 3, rng);
}

/// The last part of a pod's name. Kubernetes uses no vowels in it, so that it cannot be a word.
inline std::string pod_suffix(Rng& rng) {
    return random_string("bcdfghjklmnpqrstvwxz2456789", 5, rng);
}

inline std::string uuid(Rng& rng) {
    static constexpr std::string_view hex = "0123456789abcdef";
    std::string result = random_string(hex, 8, rng);
    for (const std::size_t length : {4U, 4U, 4U, 12U})
        result += '-' + random_string(hex, length, rng);
    return result;
}

} // namespace vllm_fleet
