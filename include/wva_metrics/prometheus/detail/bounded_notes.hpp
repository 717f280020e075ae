// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/prometheus/answer.hpp"
#include "wva_metrics/prometheus/detail/text.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics::prometheus::detail {

/// Warnings or infos, bounded in number and length.
class BoundedNotes {
public:
    void add(std::string_view text, const AnswerLimits& limits) {
        if (notes_.size() < limits.max_warnings)
            notes_.push_back(clean_text(text, limits.max_warning_bytes));
        else
            ++dropped_;
    }

    std::vector<std::string> take(const AnswerLimits& limits) {
        if (dropped_ > 0)
            notes_.push_back(std::to_string(dropped_) +
                             " more were dropped (answer.max_warnings = " +
                             std::to_string(limits.max_warnings) + ")");
        return std::move(notes_);
    }

private:
    std::vector<std::string> notes_;
    std::size_t dropped_ = 0;
};

} // namespace wva_metrics::prometheus::detail
