// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/promql/quote.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace wva_metrics::promql::detail {

/// Bytes of a value as one alternative of a regular expression, including the `|` after it.
inline std::size_t alternative_bytes(std::string_view value) {
    std::string expression;
    append_regex_escaped(expression, value);
    std::string literal;
    append_escaped(literal, expression);
    return literal.size() + 1;
}

} // namespace wva_metrics::promql::detail
