// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/metrics.hpp"

#include <concepts>
#include <optional>
#include <string_view>

namespace wva_metrics {

/// Somebody who knows whose pod it is, better than the pod's name tells. Asked by namespace and pod.
template <typename T>
concept PodOwners = requires(const T& owners, std::string_view name) {
    { owners.find(name, name) } -> std::same_as<std::optional<PodOwner>>;
};

/// Knows nobody's owner; the samples' own owners and the pods' names decide.
struct NoPodOwners {
    std::optional<PodOwner> find(std::string_view /*namespace_name*/,
                                 std::string_view /*pod*/) const noexcept {
        return std::nullopt;
    }
};
inline constexpr NoPodOwners no_pod_owners{};

} // namespace wva_metrics
