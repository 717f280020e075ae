// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/testing/detail/promql/regex_matcher.hpp"
#include "wva_metrics/testing/detail/promql/series_store.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace wva_metrics::testing {

/// What an expression evaluates to.
enum class ValueType { scalar, instant_vector, range_vector, string };

/// As Prometheus calls it.
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

/// `name="value"` and its three siblings. An absent label counts as "".
struct LabelMatcher {
    /// The label's name.
    std::string name;
    /// What it is compared with.
    std::string value;
    /// `!=` or `!~`.
    bool negated = false;
    /// Set for `=~` and `!~`.
    std::optional<RegexMatcher> regex{};

    /// Does a label of this value match?
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
    /// The name that all matching series have, or "" where several names may match.
    std::string metric;
    /// All of them must match.
    std::vector<LabelMatcher> matchers;
};

/// `metric[5m]`
struct RangeSelector {
    /// Which series.
    VectorSelector selector;
    /// How far back.
    Milliseconds range;
};

/// `expression[1h:1m]`
struct Subquery {
    /// What is evaluated at each step.
    ExpressionPtr inner;
    /// How far back.
    Milliseconds range;
    /// How far apart.
    Milliseconds step;
};

/// The functions that are understood.
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
    /// Which one.
    Function function;
    /// In their order; their number and types are right.
    std::vector<ExpressionPtr> arguments;
};

/// The aggregations that are understood.
enum class Aggregator { sum, min, max, avg, count };

/// `sum by (label) (expression)`
struct Aggregation {
    /// Which one.
    Aggregator aggregator;
    /// What is aggregated.
    ExpressionPtr inner;
    /// The labels listed.
    std::vector<std::string> grouping;
    /// The grouping lists what goes, not what stays.
    bool without = false;
};

/// The operators that are understood.
enum class BinaryOperator { logical_or, logical_and, unless, add, subtract, multiply, divide };

/// `left or right`
struct Binary {
    /// Which one.
    BinaryOperator operation;
    /// The left operand.
    ExpressionPtr left;
    /// The right operand.
    ExpressionPtr right;
};

/// `-expression`
struct Negation {
    /// What is negated.
    ExpressionPtr inner;
};

/// A parsed query, or a part of one. Parentheses leave no trace.
struct Expression {
    /// What it evaluates to.
    ValueType type;
    /// What it is.
    std::variant<NumberLiteral, StringLiteral, VectorSelector, RangeSelector, Subquery, Call,
                 Aggregation, Binary, Negation>
        node;
};

} // namespace wva_metrics::testing
