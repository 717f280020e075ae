// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/promql/detail/text.hpp"
#include "wva_metrics/promql/quote.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace wva_metrics::promql {

/// The series that a query selects: those of any of these models in any of these namespaces.
///
/// The order does not matter, and duplicates are allowed. The empty namespace selects series
/// without that label. A query also matches combinations that belong to no target;
/// `QueryPlan::find` ignores them.
struct QueryScope {
    /// Any of these namespaces.
    std::vector<std::string> namespaces;
    /// Any of these model ids.
    std::vector<std::string> models;
};

namespace detail {

/// Whether a matcher also selects the series that do not have the label.
enum class WithoutLabel { excluded, included };

/// Appends `label="value"`, or `label=~"value|value"` with the values sorted, so that equal scopes
/// make equal texts. An empty alternative at the end selects the series without the label.
inline std::optional<Error> append_matcher(std::string& out, std::string_view label,
                                           std::span<const std::string> values,
                                           WithoutLabel others = WithoutLabel::excluded) {
    std::vector<std::string_view> sorted(values.begin(), values.end());
    std::sort(sorted.begin(), sorted.end());
    sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
    for (const std::string_view value : sorted) {
        if (const auto at = find_invalid_utf8(value)) {
            Error error = invalid_utf8_error(value, *at);
            error.message = "label " + std::string(label) + ": " + error.message;
            return error;
        }
    }
    out += label;
    if (sorted.size() == 1 && others == WithoutLabel::excluded) {
        out += "=\"";
        append_escaped(out, sorted.front());
    } else {
        out += "=~\"";
        std::string expression;
        for (std::size_t i = 0; i < sorted.size(); ++i) {
            if (i > 0)
                expression += '|';
            append_regex_escaped(expression, sorted[i]);
        }
        if (others == WithoutLabel::included)
            expression += '|';
        append_escaped(out, expression);
    }
    out += '"';
    return std::nullopt;
}

} // namespace detail

} // namespace wva_metrics::promql
