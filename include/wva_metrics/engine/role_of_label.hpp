// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/replica_role.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace wva_metrics {

/// The role that one label of a pod or of its series tells; `unknown` if it tells none. Labels of
/// pods may have the spelling of Prometheus, with `_` for every other sign.
constexpr ReplicaRole role_of_label(std::string_view name, std::string_view value) noexcept {
    // llm-d; SGLang; KServe; Dynamo.
    constexpr std::array<std::string_view, 6> names = {"llm-d.ai/role",    "llm_d_ai_role",
                                                       "engine_type",      "llm_isvc_role",
                                                       "dynamo_component", "worker_type"};
    if (std::find(names.begin(), names.end(), name) == names.end())
        return ReplicaRole::unknown;
    if (value == "prefill")
        return ReplicaRole::prefill;
    if (value == "decode")
        return ReplicaRole::decode;
    constexpr std::array<std::string_view, 5> both = {"both", "prefill-decode", "unified",
                                                      "aggregated", "aggregate"};
    return std::find(both.begin(), both.end(), value) == both.end() ? ReplicaRole::unknown
                                                                    : ReplicaRole::both;
}

} // namespace wva_metrics
