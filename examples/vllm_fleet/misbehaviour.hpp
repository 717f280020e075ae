// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string_view>

namespace vllm_fleet {

/// What is wrong with a pod's own page.
enum class Fault { none, slow, half, missing, foreign };
inline constexpr std::array<std::string_view, 5> fault_names = {"none", "slow", "half", "missing",
                                                                "foreign"};

/// What a pod does when it is asked for certain metrics only.
enum class NameFilter { ignores, obeys, empty };
inline constexpr std::array<std::string_view, 3> name_filter_names = {"ignores", "obeys", "empty"};

} // namespace vllm_fleet
