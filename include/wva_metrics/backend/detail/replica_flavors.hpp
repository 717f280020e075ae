// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/detail/flavor_memory.hpp"
#include "wva_metrics/prometheus/flavor.hpp"

#include <cstddef>
#include <deque>

namespace wva_metrics::detail {

/// The makes of the servers that hold the same data. Each tells its own; until it has, it is taken for
/// one like the others.
///
/// **Threads:** safe.
class ReplicaFlavors {
public:
    /// `configured`: see `FlavorMemory`. `count`: at least 1.
    ReplicaFlavors(prometheus::Flavor configured, std::size_t count) {
        for (std::size_t i = 0; i < count; ++i)
            memories_.emplace_back(configured);
    }

    std::size_t size() const noexcept { return memories_.size(); }
    /// What is known of one replica.
    FlavorMemory& of(std::size_t replica) { return memories_[replica]; }

    /// The make that one replica is queried as.
    prometheus::Flavor current(std::size_t replica) const {
        prometheus::Flavor flavor = memories_[replica].current();
        for (const FlavorMemory& other : memories_)
            if (flavor == prometheus::Flavor::unknown)
                flavor = other.current();
        return flavor;
    }

private:
    std::deque<FlavorMemory> memories_; // They cannot be moved.
};

} // namespace wva_metrics::detail
