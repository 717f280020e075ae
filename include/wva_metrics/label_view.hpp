// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace wva_metrics {

/// A label's name and value, as texts of somebody else.
struct LabelView {
    std::string_view name;  ///< The name.
    std::string_view value; ///< The value.

    friend bool operator==(const LabelView&, const LabelView&) = default;
};

} // namespace wva_metrics
