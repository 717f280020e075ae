// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/testing/detail/promql/evaluator.hpp"
#include "wva_metrics/testing/detail/promql/expression.hpp"
#include "wva_metrics/testing/detail/promql/series_reader.hpp"
#include "wva_metrics/testing/detail/promql/series_store.hpp"
#include "wva_metrics/testing/detail/promql/value.hpp"

#include <cstddef>
#include <cstdlib>
#include <variant>

namespace wva_metrics::testing::detail {

/// How old samples must be until VictoriaMetrics shows them in instant queries: its default for
/// `-search.latencyOffset`.
inline constexpr Milliseconds latency_offset = Milliseconds{30} * 1000;

/// When a query is evaluated.
struct QueryTime {
    /// The time that the query asks for.
    Milliseconds time = 0;
    /// The clock of the server.
    Milliseconds now = 0;
};

/// The value of a query as single-node VictoriaMetrics 1.79 gives it with its default settings:
///
/// - A range selector alone is answered with all samples in (start, end], and a stale marker is a
///   sample NaN. Other samples that are NaN do not exist.
/// - All other queries at a time less than 30 s from now are evaluated 30 s ago. The answer has the
///   time of the query nevertheless.
/// - A number is a vector of one element, and a text is an empty vector.
///
/// Functions and operators are those of Prometheus, although some of VictoriaMetrics' differ.
///
/// Throws as `evaluate`.
inline PromqlValue evaluate_as_victoria_metrics(const Expression& expression,
                                                const SeriesStore& store, QueryTime at,
                                                std::size_t max_samples) {
    SeriesReader reader(store, max_samples, {.ranges_are_open = true, .drops_nan = true});
    if (const auto* range = std::get_if<RangeSelector>(&expression.node))
        return reader.window(*range, at.time, StaleMarkers::as_nan);
    const bool is_recent = std::llabs(at.time - at.now) < latency_offset;
    PromqlValue value = ExpressionEvaluator(reader).value(
        expression, is_recent ? at.now - latency_offset : at.time);
    if (const auto* number = std::get_if<double>(&value))
        return InstantVector{{LabelSet(), *number, at.time}};
    if (expression.type == ValueType::string)
        return InstantVector();
    return value;
}

} // namespace wva_metrics::testing::detail
