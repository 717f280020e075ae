// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/exposition/family_type.hpp"

#include <optional>
#include <set>
#include <string>

namespace wva_metrics::exposition::detail {

/// What the lines of a family of OpenMetrics 2.0 have said so far.
struct Om2Family {
    std::string name{};
    std::optional<FamilyType> type{};
    bool has_help = false;
    bool has_unit_line = false;
    bool has_unit = false;
    bool has_samples = false;
    std::set<std::string> metrics{}; ///< The label sets, each as one text.
    std::string last_metric{};
    std::optional<long double> last_time{};

    FamilyType kind() const noexcept { return type.value_or(FamilyType::unknown); }
};

} // namespace wva_metrics::exposition::detail
