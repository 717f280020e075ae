// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/testing/regex_matcher.hpp"
#include "wva_metrics/testing/series_store.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace wva_metrics::testing {

enum class ValueType { scalar, instant_vector, range_vector, string };

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
    std::string name;
    std::string value;
    bool negated = false;
    /// Set for `=~` and `!~`.
    std::optional<RegexMatcher> regex{};

    bool matches(std::string_view text) const {
        return (regex ? regex->matches(text) : text == value) != negated;
    }
};

struct Expression;
using ExpressionPtr = std::unique_ptr<Expression>;

struct NumberLiteral {
    double value;
};

struct StringLiteral {
    std::string text;
};

struct VectorSelector {
    /// The name that all matching series have, or "" where several names may match.
    std::string metric;
    std::vector<LabelMatcher> matchers;
};

/// `metric[5m]`
struct RangeSelector {
    VectorSelector selector;
    Milliseconds range;
};

/// `expression[1h:1m]`
struct Subquery {
    ExpressionPtr inner;
    Milliseconds range;
    Milliseconds step;
};

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

struct Call {
    Function function;
    std::vector<ExpressionPtr> arguments;
};

enum class Aggregator { sum, min, max, avg, count };

struct Aggregation {
    Aggregator aggregator;
    ExpressionPtr inner;
    std::vector<std::string> grouping;
    /// The grouping lists what goes, not what stays.
    bool without = false;
};

enum class BinaryOperator { logical_or, logical_and, unless, add, subtract, multiply, divide };

struct Binary {
    BinaryOperator operation;
    ExpressionPtr left;
    ExpressionPtr right;
};

struct Negation {
    ExpressionPtr inner;
};

/// A parsed query, or a part of one. Parentheses leave no trace.
struct Expression {
    ValueType type;
    std::variant<NumberLiteral, StringLiteral, VectorSelector, RangeSelector, Subquery, Call,
                 Aggregation, Binary, Negation>
        node;
};

} // namespace wva_metrics::testing
