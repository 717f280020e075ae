// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/testing/detail/promql/aggregate.hpp"
#include "wva_metrics/testing/detail/promql/expression.hpp"
#include "wva_metrics/testing/detail/promql/query_failure.hpp"
#include "wva_metrics/testing/detail/promql/range_functions.hpp"
#include "wva_metrics/testing/detail/promql/replace_label.hpp"
#include "wva_metrics/testing/detail/promql/series_reader.hpp"
#include "wva_metrics/testing/detail/promql/series_store.hpp"
#include "wva_metrics/testing/detail/promql/value.hpp"
#include "wva_metrics/testing/detail/promql/vector_operators.hpp"

#include <cstddef>
#include <limits>
#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace wva_metrics::testing::detail {

/// Evaluates one instant query at one or several times, as Prometheus 2.42 does.
class ExpressionEvaluator {
public:
    explicit ExpressionEvaluator(SeriesReader& reader) : reader_(reader) {}

    PromqlValue value(const Expression& expression, Milliseconds time) {
        return std::visit([&](const auto& node) { return value_of(node, time); }, expression.node);
    }

private:
    template <typename T>
    T value_as(const ExpressionPtr& expression, Milliseconds time) {
        return std::get<T>(value(*expression, time));
    }

    static PromqlValue value_of(const NumberLiteral& literal, Milliseconds) {
        return literal.value;
    }
    static PromqlValue value_of(const StringLiteral& literal, Milliseconds) { return literal.text; }

    PromqlValue value_of(const VectorSelector& selector, Milliseconds time) {
        return reader_.latest(selector, time);
    }
    PromqlValue value_of(const RangeSelector& selector, Milliseconds time) {
        return reader_.window(selector, time);
    }

    /// Evaluates at multiples of the step's length, independently of the time of the query.
    PromqlValue value_of(const Subquery& subquery, Milliseconds time) {
        const Milliseconds start = time - subquery.range;
        Milliseconds step = start / subquery.step * subquery.step;
        if (step < start)
            step += subquery.step;
        std::map<LabelSet, std::vector<Sample>> series;
        for (; step <= time; step += subquery.step) {
            for (VectorSample& sample : value_as<InstantVector>(subquery.inner, step)) {
                reader_.count_samples(1);
                series[std::move(sample.labels)].push_back({step, sample.value});
            }
        }
        RangeVector ranges;
        for (auto& [labels, samples] : series)
            ranges.push_back({labels, std::move(samples)});
        return ranges;
    }

    PromqlValue value_of(const Call& call, Milliseconds time) {
        switch (call.function) {
        case Function::time:
            return static_cast<double>(time) / 1000;
        case Function::vector:
            return InstantVector{
                {LabelSet(), value_as<double>(call.arguments.front(), time), time}};
        case Function::timestamp:
            return timestamps(*call.arguments.front(), time);
        case Function::label_replace:
            return label_replace(call, time);
        default:
            return over_time(call, time);
        }
    }

    /// The samples of a plain selector have their own times. All other samples have the time of the
    /// query.
    PromqlValue timestamps(const Expression& argument, Milliseconds time) {
        const bool is_selector = std::holds_alternative<VectorSelector>(argument.node);
        InstantVector vector = std::get<InstantVector>(value(argument, time));
        for (VectorSample& sample : vector) {
            sample.labels = sample.labels.without_metric_name();
            sample.value = static_cast<double>(is_selector ? sample.sampled_at : time) / 1000;
        }
        reject_duplicates(vector);
        return vector;
    }

    PromqlValue over_time(const Call& call, Milliseconds time) {
        const Milliseconds range = range_of(*call.arguments.front());
        InstantVector vector;
        for (const RangeSeries& series : value_as<RangeVector>(call.arguments.front(), time)) {
            const auto result =
                apply_range_function(call.function, series.samples, time - range, time);
            if (!result)
                continue;
            vector.push_back({call.function == Function::last_over_time
                                  ? series.labels
                                  : series.labels.without_metric_name(),
                              *result, time});
        }
        reject_duplicates(vector);
        return vector;
    }

    static Milliseconds range_of(const Expression& expression) {
        if (const auto* selector = std::get_if<RangeSelector>(&expression.node))
            return selector->range;
        return std::get<Subquery>(expression.node).range;
    }

    PromqlValue label_replace(const Call& call, Milliseconds time) {
        auto vector = value_as<InstantVector>(call.arguments[0], time);
        replace_label(vector, {.destination = value_as<std::string>(call.arguments[1], time),
                               .replacement = value_as<std::string>(call.arguments[2], time),
                               .source = value_as<std::string>(call.arguments[3], time),
                               .pattern = value_as<std::string>(call.arguments[4], time)});
        reject_duplicates(vector);
        return vector;
    }

    PromqlValue value_of(const Aggregation& aggregation, Milliseconds time) {
        if (aggregation.aggregator == Aggregator::topk)
            return largest(aggregation, value_as<double>(aggregation.parameter, time),
                           value_as<InstantVector>(aggregation.inner, time));
        return aggregate(aggregation, value_as<InstantVector>(aggregation.inner, time), time);
    }

    PromqlValue value_of(const Binary& binary, Milliseconds time) {
        const PromqlValue left = value(*binary.left, time);
        const PromqlValue right = value(*binary.right, time);
        PromqlValue result = combine(binary.operation, left, right);
        if (auto* vector = std::get_if<InstantVector>(&result))
            reject_duplicates(*vector);
        return result;
    }

    PromqlValue value_of(const Negation& negation, Milliseconds time) {
        PromqlValue result = value(*negation.inner, time);
        if (auto* number = std::get_if<double>(&result))
            return -*number;
        auto& vector = std::get<InstantVector>(result);
        for (VectorSample& sample : vector) {
            sample.labels = sample.labels.without_metric_name();
            sample.value = -sample.value;
        }
        reject_duplicates(vector);
        return result;
    }

    static void reject_duplicates(const InstantVector& vector) {
        if (has_duplicates(vector))
            throw QueryFailure::execution("vector cannot contain metrics with the same labelset");
    }

    SeriesReader& reader_;
};

/// The value of a query at a time. Series are in the order of the store, groups in the order of
/// their labels. Throws QueryFailure, also if the query reads more than `max_samples`, as
/// Prometheus does with `--query.max-samples`.
inline PromqlValue evaluate(const Expression& expression, const SeriesStore& store,
                            Milliseconds time,
                            std::size_t max_samples = std::numeric_limits<std::size_t>::max()) {
    SeriesReader reader(store, max_samples);
    return ExpressionEvaluator(reader).value(expression, time);
}

} // namespace wva_metrics::testing::detail
