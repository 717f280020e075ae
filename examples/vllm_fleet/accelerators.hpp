// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string_view>

namespace vllm_fleet {

/// What a deployment of a model runs on.
struct Accelerator {
    std::string_view name;
    std::string_view suffix; ///< Of the deployment's name.
    double cost;             ///< Of one replica, in the autoscaler's unit.
    double speed;            ///< Relative to the first accelerator.
};

inline constexpr std::array<Accelerator, 6> accelerators = {{
    {"A100", "a100", 40, 1.0},
    {"H100", "h100", 65, 1.8},
    {"L40S", "l40s", 25, 0.6},
    {"MI300X", "mi300x", 60, 1.7},
    {"H200", "h200", 80, 2.0},
    {"L4", "l4", 10, 0.3},
}};

} // namespace vllm_fleet
