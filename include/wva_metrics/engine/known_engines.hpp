// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/engine/engine_profile.hpp"
#include "wva_metrics/engine/engine_table.hpp"
#include "wva_metrics/engine/engine_tables.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace wva_metrics {

/// A kind of inference server whose metrics are known.
enum class KnownEngine : std::uint8_t {
    vllm,      ///< vLLM.
    sglang,    ///< SGLang.
    tgi,       ///< Text Generation Inference.
    trtllm,    ///< TensorRT-LLM by `trtllm-serve`.
    triton,    ///< Triton with the backend of TensorRT-LLM.
    lmdeploy,  ///< LMDeploy.
    llama_cpp, ///< The server of llama.cpp.
    ray,       ///< vLLM under Ray Serve.
    dynamo,    ///< NVIDIA Dynamo.
    kserve,    ///< vLLM under KServe, with metrics copied to another prefix.
};

/// A kind of server and its table.
struct KnownEngineTable {
    KnownEngine engine;       ///< The kind.
    const EngineTable* table; ///< What it publishes; never null.
};

/// All kinds, in the order of the enumeration.
inline constexpr std::array known_engines = {
    KnownEngineTable{KnownEngine::vllm, &vllm_table},
    KnownEngineTable{KnownEngine::sglang, &sglang_table},
    KnownEngineTable{KnownEngine::tgi, &tgi_table},
    KnownEngineTable{KnownEngine::trtllm, &trtllm_table},
    KnownEngineTable{KnownEngine::triton, &triton_table},
    KnownEngineTable{KnownEngine::lmdeploy, &lmdeploy_table},
    KnownEngineTable{KnownEngine::llama_cpp, &llama_cpp_table},
    KnownEngineTable{KnownEngine::ray, &ray_table},
    KnownEngineTable{KnownEngine::dynamo, &dynamo_table},
    KnownEngineTable{KnownEngine::kserve, &kserve_table},
};

/// What a kind of server publishes.
constexpr const EngineTable& table_of(KnownEngine engine) noexcept {
    return *known_engines[static_cast<std::size_t>(engine)].table;
}

/// The name that settings use; the enumerator's name.
constexpr std::string_view to_string(KnownEngine engine) noexcept {
    return static_cast<std::size_t>(engine) < known_engines.size() ? table_of(engine).name
                                                                   : "unknown";
}

/// The kind with this name, or nothing.
constexpr std::optional<KnownEngine> find_engine(std::string_view name) noexcept {
    for (const KnownEngineTable& known : known_engines)
        if (known.table->name == name)
            return known.engine;
    return std::nullopt;
}

/// The profile of a kind of server.
inline EngineProfile profile_of(KnownEngine engine) {
    return profile_of(table_of(engine));
}

///@{
/// The profile of one kind of server; see its table.
inline EngineProfile vllm_profile() {
    return profile_of(vllm_table);
}
inline EngineProfile sglang_profile() {
    return profile_of(sglang_table);
}
inline EngineProfile tgi_profile() {
    return profile_of(tgi_table);
}
inline EngineProfile trtllm_profile() {
    return profile_of(trtllm_table);
}
inline EngineProfile triton_profile() {
    return profile_of(triton_table);
}
inline EngineProfile lmdeploy_profile() {
    return profile_of(lmdeploy_table);
}
inline EngineProfile llama_cpp_profile() {
    return profile_of(llama_cpp_table);
}
inline EngineProfile ray_profile() {
    return profile_of(ray_table);
}
inline EngineProfile dynamo_profile() {
    return profile_of(dynamo_table);
}
inline EngineProfile kserve_profile() {
    return profile_of(kserve_table);
}
///@}

} // namespace wva_metrics
