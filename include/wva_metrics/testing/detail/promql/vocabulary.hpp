// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/testing/detail/promql/expression.hpp"
#include "wva_metrics/testing/detail/promql/lexer.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

namespace wva_metrics::testing::detail {

/// Name and signature of a function. All arguments after the first are strings.
struct FunctionInfo {
    std::string_view name;
    Function function;
    ValueType result;
    std::optional<ValueType> first_argument;
    std::size_t string_arguments = 0;

    std::size_t argument_count() const noexcept {
        return (first_argument ? 1U : 0U) + string_arguments;
    }
    ValueType argument(std::size_t index) const noexcept {
        return index == 0 ? *first_argument : ValueType::string;
    }
};

inline const FunctionInfo* find_function(std::string_view name) {
    constexpr auto over_time = [](std::string_view called, Function function) {
        return FunctionInfo{called, function, ValueType::instant_vector, ValueType::range_vector};
    };
    static constexpr std::array functions = {
        over_time("rate", Function::rate),
        over_time("increase", Function::increase),
        over_time("max_over_time", Function::max_over_time),
        over_time("min_over_time", Function::min_over_time),
        over_time("avg_over_time", Function::avg_over_time),
        over_time("sum_over_time", Function::sum_over_time),
        over_time("last_over_time", Function::last_over_time),
        over_time("count_over_time", Function::count_over_time),
        FunctionInfo{"timestamp", Function::timestamp, ValueType::instant_vector,
                     ValueType::instant_vector},
        FunctionInfo{"time", Function::time, ValueType::scalar, std::nullopt},
        FunctionInfo{"vector", Function::vector, ValueType::instant_vector, ValueType::scalar},
        FunctionInfo{"label_replace", Function::label_replace, ValueType::instant_vector,
                     ValueType::instant_vector, 4},
    };
    const auto found = std::find_if(functions.begin(), functions.end(),
                                    [name](const FunctionInfo& info) { return info.name == name; });
    return found == functions.end() ? nullptr : &*found;
}

inline std::optional<Aggregator> find_aggregator(const Token& token) {
    if (token.is_word("sum"))
        return Aggregator::sum;
    if (token.is_word("min"))
        return Aggregator::min;
    if (token.is_word("max"))
        return Aggregator::max;
    if (token.is_word("avg"))
        return Aggregator::avg;
    if (token.is_word("count"))
        return Aggregator::count;
    if (token.is_word("topk"))
        return Aggregator::topk;
    return std::nullopt;
}

/// True for the aggregations of Prometheus that the fake does not support.
inline bool is_other_aggregator(const Token& token) {
    constexpr std::array<std::string_view, 6> words = {"bottomk",  "count_values", "group",
                                                       "quantile", "stddev",       "stdvar"};
    return std::any_of(words.begin(), words.end(),
                       [&](std::string_view word) { return token.is_word(word); });
}

struct OperatorInfo {
    std::string_view spelling;
    int precedence;
    /// Empty if the fake does not support the operator.
    std::optional<BinaryOperator> operation;
};

inline const OperatorInfo* find_operator(const Token& token) {
    static constexpr std::array<OperatorInfo, 16> operators = {{
        {"or", 1, BinaryOperator::logical_or},
        {"and", 2, BinaryOperator::logical_and},
        {"unless", 2, BinaryOperator::unless},
        {"==", 3, std::nullopt},
        {"!=", 3, std::nullopt},
        {"<=", 3, std::nullopt},
        {">=", 3, std::nullopt},
        {"<", 3, std::nullopt},
        {">", 3, std::nullopt},
        {"+", 4, BinaryOperator::add},
        {"-", 4, BinaryOperator::subtract},
        {"*", 5, BinaryOperator::multiply},
        {"/", 5, BinaryOperator::divide},
        {"%", 5, std::nullopt},
        {"atan2", 5, std::nullopt},
        {"^", 6, std::nullopt},
    }};
    const auto found =
        std::find_if(operators.begin(), operators.end(), [&](const OperatorInfo& info) {
            return token.is_symbol(info.spelling) || token.is_word(info.spelling);
        });
    return found == operators.end() ? nullptr : &*found;
}

constexpr bool is_set_operator(BinaryOperator operation) noexcept {
    return operation == BinaryOperator::logical_or || operation == BinaryOperator::logical_and ||
           operation == BinaryOperator::unless;
}

} // namespace wva_metrics::testing::detail
