// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/samples/view.hpp"

#include <cstddef>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace wva_metrics::samples::detail {

/// Finds views by the target that was scraped: by its address, or if it has none, by its pod. A view
/// without either is not found. The views must outlive it, unchanged.
class TargetIndex {
public:
    /// Adds a view under a number of the caller's.
    void add(const View& view, std::size_t number) {
        if (!view.address.empty())
            by_address_[view.address].push_back(number);
        else if (!view.pod.empty())
            by_pod_[view.pod].push_back(number);
    }

    /// The numbers of the views of the same target, in the order in which they were added.
    std::span<const std::size_t> find(const View& target) const {
        const auto& by = target.address.empty() ? by_pod_ : by_address_;
        const auto found = by.find(target.address.empty() ? target.pod : target.address);
        if (found == by.end())
            return {};
        return found->second;
    }

private:
    using Numbers = std::unordered_map<std::string_view, std::vector<std::size_t>>;
    Numbers by_address_;
    Numbers by_pod_;
};

} // namespace wva_metrics::samples::detail
