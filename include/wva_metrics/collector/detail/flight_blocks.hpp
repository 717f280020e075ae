// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/collector/detail/flight.hpp"

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace wva_metrics::detail {

/// Makes the flights of a round, many in one allocation: a round makes one for each target, and walks
/// through them several times. A block lives as long as any flight in it; those of a round end
/// together.
class FlightBlocks {
public:
    /// Throws if memory is short.
    FlightPtr make(TargetPtr target, CacheEntryPtr previous, TimePoint deadline) {
        constexpr std::size_t flights_per_block = 64;
        if (!block_ || block_->size() == flights_per_block) {
            auto block = std::make_shared<std::vector<Flight>>();
            block->reserve(flights_per_block); // So that flights do not move.
            block_ = std::move(block);
        }
        return {block_, &block_->emplace_back(std::move(target), std::move(previous), deadline)};
    }

private:
    /// Where the next flight is made, if there is room. Null at first.
    std::shared_ptr<std::vector<Flight>> block_;
};

} // namespace wva_metrics::detail
