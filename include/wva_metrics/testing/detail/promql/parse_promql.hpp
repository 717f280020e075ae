// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/testing/detail/promql/expression.hpp"
#include "wva_metrics/testing/detail/promql/expression_parser.hpp"

#include <string_view>

namespace wva_metrics::testing::detail {

/// Parses and type-checks the part of PromQL that the fake Prometheus supports:
///
/// - selectors with `=`, `!=`, `=~`, `!~`; ranges `[1m30s]`; subqueries `[1h:1m]`
/// - `rate`, `increase`, `max_`, `min_`, `avg_`, `sum_`, `last_` and `count_over_time`,
///   `timestamp`, `time`, `vector`, `label_replace`
/// - `sum`, `min`, `max`, `avg`, `count`, with `by` or `without` before or after the operand
/// - `or`, `and`, `unless`, `+`, `-`, `*`, `/`, matching on all labels; unary minus; parentheses
/// - number and string literals, comments
///
/// Throws QueryFailure. If the query is not PromQL, the message is that of Prometheus, if that is
/// short. If the fake does not support a part of PromQL, the message names this part.
inline ExpressionPtr parse_promql(std::string_view query) {
    return ExpressionParser(query).parse();
}

} // namespace wva_metrics::testing::detail
