// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/pod_owner.hpp"

#include <concepts>
#include <optional>
#include <string_view>

namespace wva_metrics {

/// Somebody who knows whose pod it is, better than the pod's name tells.
///
/// `find(namespace, pod)` answers from memory, on any thread, and does not throw. It may be asked
/// for every pod of every fetch.
template <typename T>
concept PodOwners = requires(const T& owners, std::string_view name) {
    { owners.find(name, name) } -> std::same_as<std::optional<PodOwner>>;
};

/// Somebody who also knows of a pod's life. `gone` is said only of a pod that is known to have
/// existed and to exist no more; one that was never seen is `unknown`, for it may be too young.
template <typename T>
concept PodStates = requires(const T& owners, std::string_view name) {
    { owners.state_of(name, name) } -> std::same_as<PodState>;
};

/// Knows nobody's owner; the samples' own owners and the pods' names decide.
struct NoPodOwners {
    /// Nothing, whatever is asked.
    std::optional<PodOwner> find(std::string_view /*namespace_name*/,
                                 std::string_view /*pod*/) const noexcept {
        return std::nullopt;
    }
};
/// For where nobody is to be asked.
inline constexpr NoPodOwners no_pod_owners{};

} // namespace wva_metrics
