// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "dialect.hpp"
#include "dynamo.hpp"
#include "kserve.hpp"
#include "llama_cpp.hpp"
#include "lmdeploy.hpp"
#include "ray.hpp"
#include "sglang.hpp"
#include "tgi.hpp"
#include "triton.hpp"
#include "trtllm.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

namespace vllm_fleet {

/// vLLM itself, whose metrics by version are in metric_families.hpp.
inline constexpr Dialect vllm_dialect{"vllm", {}, nullptr, 1, false, true};

inline constexpr std::array<const Dialect*, 12> dialects = {
    &vllm_dialect,      &sglang_dialect, &sglang_prefill_dialect, &sglang_decode_dialect,
    &tgi_dialect,       &trtllm_dialect, &triton_dialect,         &lmdeploy_dialect,
    &llama_cpp_dialect, &ray_dialect,    &dynamo_dialect,         &kserve_dialect};

/// Null if there is no such kind of server.
inline const Dialect* find_dialect(std::string_view name) {
    const auto found = std::ranges::find(dialects, name, &Dialect::name);
    return found == dialects.end() ? nullptr : *found;
}

/// For messages: all names, separated by commas.
inline std::string dialect_names() {
    std::string names;
    for (const Dialect* dialect : dialects)
        (names += names.empty() ? "" : ", ") += dialect->name;
    return names;
}

/// True if a kind of server other than vLLM has this metric, or this series of a histogram.
inline bool is_dialect_metric(std::string_view name) {
    return std::ranges::any_of(dialects, [&](const Dialect* dialect) {
        return std::ranges::any_of(dialect->rows, [&](const DialectRow& row) {
            if (!name.starts_with(row.family))
                return false;
            const std::string_view ending = name.substr(row.family.size());
            return ending.empty() ||
                   (row.histogram != nullptr &&
                    (ending == "_bucket" || ending == "_sum" || ending == "_count"));
        });
    });
}

} // namespace vllm_fleet
