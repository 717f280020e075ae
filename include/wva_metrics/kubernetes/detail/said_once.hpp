// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <unordered_set>

namespace wva_metrics::kubernetes::detail {

/// Remembers what has been said, so that it is not said again. Not thread-safe.
class SaidOnce {
public:
    /// Whether this is said for the first time, as far as it is remembered.
    bool is_new(const std::string& text) {
        if (said_.size() >= max_texts)
            said_.clear();
        return said_.insert(text).second;
    }

private:
    static constexpr std::size_t max_texts = 100;
    std::unordered_set<std::string> said_;
};

} // namespace wva_metrics::kubernetes::detail
