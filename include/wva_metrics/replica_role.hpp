// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

namespace wva_metrics {

/// Which part of a request a replica works on. Replicas of different roles are scaled separately:
/// their queues and caches mean different things, and are not to be merged.
enum class ReplicaRole : std::uint8_t {
    /// Nothing says so; as a rule, both.
    unknown,
    /// It reads prompts, and hands its KV cache on.
    prefill,
    /// It generates tokens from a KV cache that it was handed.
    decode,
    /// It does both.
    both,
};

/// The enumerator's name.
constexpr std::string_view to_string(ReplicaRole role) noexcept {
    switch (role) {
    case ReplicaRole::unknown:
        return "unknown";
    case ReplicaRole::prefill:
        return "prefill";
    case ReplicaRole::decode:
        return "decode";
    case ReplicaRole::both:
        return "both";
    }
    return "unknown";
}

/// The role of something of which two parts are known.
constexpr ReplicaRole merge_roles(ReplicaRole one, ReplicaRole other) noexcept {
    if (one == ReplicaRole::unknown || one == other)
        return other;
    return other == ReplicaRole::unknown ? one : ReplicaRole::both;
}

} // namespace wva_metrics
