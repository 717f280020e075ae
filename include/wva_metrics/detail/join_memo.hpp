// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/attribution.hpp"
#include "wva_metrics/cache/cache_entry.hpp"
#include "wva_metrics/cache/cache_key.hpp"
#include "wva_metrics/detail/oldest_sample.hpp"
#include "wva_metrics/metrics.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace wva_metrics::detail {

/// Samples joined with one caller's variants, kept so that the same caller's next hit costs no
/// join.
struct Join {
    CacheEntryPtr samples;
    std::vector<VariantAutoscaling> variants;
    std::shared_ptr<const ModelReplicas> replicas;
    std::optional<TimePoint> oldest;
};

/// The last few joins of each slot. A hit is a short look under one of several mutexes; a join is
/// made outside of it.
///
/// Slots are few and fixed, so memory is bounded by them: models that share a slot push each
/// other's joins out. Thread-safe.
class JoinMemo {
public:
    /// The join, and whether it was made just now. `samples` must hold `ReplicaSamples`.
    std::pair<std::shared_ptr<const Join>, bool>
    join(const CacheEntryPtr& samples, std::span<const VariantAutoscaling> variants) {
        const ReplicaSamples& held = *samples->get<ReplicaSamples>();
        const std::size_t index = CacheKeyHash()(replica_key(held.model)) % slots_.size();
        std::mutex& mutex = mutexes_[index % mutexes_.size()];
        Slot& slot = slots_[index];
        {
            const std::lock_guard lock(mutex);
            for (const auto& candidate : slot.joins)
                if (candidate && candidate->samples == samples &&
                    std::ranges::equal(candidate->variants, variants))
                    return {candidate, false};
        }
        auto made = std::make_shared<Join>();
        made->samples = samples;
        made->variants.assign(variants.begin(), variants.end());
        auto replicas = std::make_shared<const ModelReplicas>(attribute(held, variants));
        made->oldest = oldest_sample(*replicas);
        made->replicas = std::move(replicas);

        std::shared_ptr<const Join> dropped = made; // Destroyed after the lock is released.
        const std::lock_guard lock(mutex);
        std::swap(slot.place_for(*made), dropped);
        return {std::move(made), true};
    }

private:
    struct Slot {
        /// Several callers may ask for one model with variants of their own.
        std::array<std::shared_ptr<const Join>, 4> joins;
        std::size_t next = 0;

        /// Its own predecessor's place, else the one that was filled first.
        std::shared_ptr<const Join>& place_for(const Join& join) {
            const auto same = std::ranges::find_if(
                joins, [&](const auto& held) { return held && held->variants == join.variants; });
            if (same != joins.end())
                return *same;
            return joins[std::exchange(next, (next + 1) % joins.size())];
        }
    };

    std::array<std::mutex, 16> mutexes_;
    std::vector<Slot> slots_ = std::vector<Slot>(4096);
};

} // namespace wva_metrics::detail
