// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>

namespace wva_metrics {

/// What the attributions kept with the entries of one cache may take together.
///
/// A cache makes it, and counts its use as a part of `CacheLimits::max_bytes`. Each entry that is
/// made for the cache shares it, because an entry may outlive its cache.
///
/// **Threads:** safe without a lock.
class AttributionBudget {
public:
    /// Takes memory for an attribution; false if there is no room.
    bool take(std::size_t bytes) noexcept {
        std::size_t used = used_.load(std::memory_order_relaxed);
        do {
            const std::size_t room = room_.load(std::memory_order_relaxed);
            if (bytes > room - std::min(used, room))
                return false;
        } while (!used_.compare_exchange_weak(used, used + bytes, std::memory_order_relaxed));
        return true;
    }
    /// Gives back what `take` took.
    void give_back(std::size_t bytes) noexcept {
        used_.fetch_sub(bytes, std::memory_order_relaxed);
    }

    /// Bytes taken now.
    std::size_t used() const noexcept { return used_.load(std::memory_order_relaxed); }
    /// What a cache's entries may take of its bound: all but what the attributions use, and at least
    /// half.
    std::size_t bytes_for_entries(std::size_t max_bytes) const noexcept {
        return max_bytes - std::min(used(), max_bytes / 2);
    }
    /// To be called by the cache when its bound or its entries have changed. The attributions may
    /// take half of the bound; while entries fill it, a sixteenth more than the bound, for which the
    /// next insertion evicts entries.
    void set_room(std::size_t max_bytes, std::size_t entry_bytes) noexcept {
        const std::size_t bound = max_bytes + max_bytes / 16;
        room_.store(std::min(max_bytes / 2, bound - std::min(bound, entry_bytes)),
                    std::memory_order_relaxed);
    }

private:
    std::atomic<std::size_t> used_{0};
    std::atomic<std::size_t> room_{0};
};

} // namespace wva_metrics
