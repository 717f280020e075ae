// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/pod_owner.hpp"

#include <concepts>
#include <optional>
#include <string_view>

namespace wva_metrics {

/// Finds the owner of a pod, more reliably than the pod's name does.
///
/// `find(namespace, pod)` returns from memory, may be called from any thread, and does not throw.
/// It may be called for every pod of every fetch. Empty = the owner is unknown.
template <typename T>
concept PodOwners = requires(const T& owners, std::string_view name) {
    { owners.find(name, name) } -> std::same_as<std::optional<PodOwner>>;
};

/// A `PodOwners` that also knows the states of pods. `state_of` may return `gone` only for a pod
/// that is known to have existed and to exist no more. A pod that was never seen is `unknown`: it
/// may be too new.
template <typename T>
concept PodStates = requires(const T& owners, std::string_view name) {
    { owners.state_of(name, name) } -> std::same_as<PodState>;
};

/// Knows no owners. The owners in the samples and the pods' names decide.
struct NoPodOwners {
    /// Always empty.
    std::optional<PodOwner> find(std::string_view /*namespace_name*/,
                                 std::string_view /*pod*/) const noexcept {
        return std::nullopt;
    }
};
/// The default argument of `attribute`.
inline constexpr NoPodOwners no_pod_owners{};

} // namespace wva_metrics
