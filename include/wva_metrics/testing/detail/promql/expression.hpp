// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/testing/detail/promql/regex_matcher.hpp"
#include "wva_metrics/testing/detail/promql/series_store.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace wva_metrics::testing::detail {

/// The type of an expression.
enum class ValueType { scalar, instant_vector, range_vector, string };

/// The name that Prometheus uses.
constexpr std::string_view to_string(ValueType type) noexcept {
    switch (type) {
    case ValueType::scalar:
        return "scalar";
    case ValueType::instant_vector:
        return "instant vector";
    case ValueType::range_vector:
        return "range vector";
    case ValueType::string:
        return "string";
    }
    return "";
}

/// `name="value"`, or one of `!=`, `=~`, `!~`. An absent label is equal to an empty one.
struct LabelMatcher {
    /// The label's name.
    std::string name;
    /// The text or the pattern to compare with.
    std::string value;
    /// `!=` or `!~`.
    bool negated = false;
    /// Set for `=~` and `!~`.
    std::optional<RegexMatcher> regex{};

    /// True if a label with this value matches.
    bool matches(std::string_view text) const {
        return (regex ? regex->matches(text) : text == value) != negated;
    }
};

struct Expression;
/// Expressions own their parts.
using ExpressionPtr = std::unique_ptr<Expression>;

/// `0.5`
struct NumberLiteral {
    /// The number.
    double value;
};

/// `"text"`
struct StringLiteral {
    /// Without the quotes, unescaped.
    std::string text;
};

/// `metric{label="value"}`
struct VectorSelector {
    /// The metric name of all matching series; empty if several names can match.
    std::string metric;
    /// All of them must match.
    std::vector<LabelMatcher> matchers;
};

/// `metric[5m]`
struct RangeSelector {
    /// The series.
    VectorSelector selector;
    /// The length of the window.
    Milliseconds range;
};

/// `expression[1h:1m]`
struct Subquery {
    /// The expression to evaluate at each step.
    ExpressionPtr inner;
    /// The length of the window.
    Milliseconds range;
    /// The time between two steps.
    Milliseconds step;
};

/// The supported functions.
enum class Function {
    rate,
    increase,
    max_over_time,
    min_over_time,
    avg_over_time,
    sum_over_time,
    last_over_time,
    count_over_time,
    timestamp,
    time,
    vector,
    label_replace,
};

/// `function(argument, ...)`
struct Call {
    /// The function.
    Function function;
    /// The arguments in their order. Their number and types have been checked.
    std::vector<ExpressionPtr> arguments;
};

/// The supported aggregations.
enum class Aggregator { sum, min, max, avg, count, topk };

/// `sum by (label) (expression)`, `topk by (label) (parameter, expression)`
struct Aggregation {
    /// The aggregation.
    Aggregator aggregator;
    /// The operand.
    ExpressionPtr inner;
    /// The listed labels.
    std::vector<std::string> grouping;
    /// True for `without`: the listed labels are dropped. False for `by`: they are kept.
    bool without = false;
    /// How many elements of a group `topk` keeps, a scalar; null for the others.
    ExpressionPtr parameter = nullptr;
};

/// The supported operators.
enum class BinaryOperator { logical_or, logical_and, unless, add, subtract, multiply, divide };

/// `left or right`
struct Binary {
    /// The operator.
    BinaryOperator operation;
    /// The left operand.
    ExpressionPtr left;
    /// The right operand.
    ExpressionPtr right;
};

/// `-expression`
struct Negation {
    /// The operand.
    ExpressionPtr inner;
};

/// A parsed query, or a part of one. Parentheses are not kept.
struct Expression {
    /// The type of its value.
    ValueType type;
    /// The kind of expression and its operands.
    std::variant<NumberLiteral, StringLiteral, VectorSelector, RangeSelector, Subquery, Call,
                 Aggregation, Binary, Negation>
        node;
};

template <typename Node>
ExpressionPtr make_expression(ValueType type, Node node) {
    return std::make_unique<Expression>(Expression{type, std::move(node)});
}

} // namespace wva_metrics::testing::detail
