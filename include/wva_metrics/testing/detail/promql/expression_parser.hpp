// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/metric_names.hpp"
#include "wva_metrics/testing/detail/promql/expression.hpp"
#include "wva_metrics/testing/detail/promql/literals.hpp"
#include "wva_metrics/testing/detail/promql/selector_parser.hpp"
#include "wva_metrics/testing/detail/promql/token_stream.hpp"
#include "wva_metrics/testing/detail/promql/vocabulary.hpp"

#include <cstddef>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics::testing::detail {

/// Parses and type-checks operators, calls and aggregations; `SelectorParser` does the selectors.
class ExpressionParser {
public:
    explicit ExpressionParser(std::string_view query) : tokens_(query) {}

    /// Parses the whole query.
    ExpressionPtr parse() {
        if (tokens_.at_end())
            tokens_.fail(0, "no expression found in input");
        ExpressionPtr whole = binary(1);
        if (!tokens_.at_end())
            tokens_.unexpected("");
        return whole;
    }

private:
    // The parser is recursive and uses the caller's stack.
    static constexpr std::size_t max_nesting = 100;
    static constexpr std::size_t max_operators = 2000;

    /// Counts a level of nesting while it is alive.
    class Level {
    public:
        explicit Level(ExpressionParser& parser) : parser_(parser) {
            if (++parser_.nesting_ > max_nesting)
                parser_.tokens_.fail(parser_.tokens_.current().position,
                                     "the query nests too deeply for the fake");
        }
        Level(const Level&) = delete;
        Level& operator=(const Level&) = delete;
        ~Level() { --parser_.nesting_; }

    private:
        ExpressionParser& parser_;
    };

    const Token& token() const noexcept { return tokens_.current(); }

    /// Precedence climbing: parses operators that bind at least as tightly as `weakest`.
    ExpressionPtr binary(int weakest) {
        const Level level(*this);
        const std::size_t position = token().position;
        ExpressionPtr left = unary();
        while (const OperatorInfo* info = find_operator(token())) {
            if (info->precedence < weakest)
                break;
            if (!info->operation)
                tokens_.unsupported(token().position, "the operator \"" + token().text + '"');
            if (++operators_ > max_operators)
                tokens_.unsupported(token().position, "that many operators in one query");
            tokens_.advance();
            reject_modifiers();
            ExpressionPtr right = binary(info->precedence + 1);
            left = combine(position, *info, std::move(left), std::move(right));
        }
        return left;
    }

    ExpressionPtr combine(std::size_t position, const OperatorInfo& info, ExpressionPtr left,
                          ExpressionPtr right) const {
        const auto usable = [](const Expression& operand) {
            return operand.type == ValueType::scalar || operand.type == ValueType::instant_vector;
        };
        if (!usable(*left) || !usable(*right))
            tokens_.fail(position,
                         "binary expression must contain only scalar and instant vector types");
        const bool vectors =
            left->type == ValueType::instant_vector && right->type == ValueType::instant_vector;
        const bool scalars = left->type == right->type && !vectors;
        if (is_set_operator(*info.operation) && !vectors)
            tokens_.fail(position, "set operator \"" + std::string(info.spelling) +
                                       "\" not allowed in binary scalar expression");
        return make_expression(scalars ? ValueType::scalar : ValueType::instant_vector,
                               Binary{*info.operation, std::move(left), std::move(right)});
    }

    void reject_modifiers() const {
        for (const std::string_view word :
             {"on", "ignoring", "group_left", "group_right", "bool"}) {
            if (token().is_word(word))
                tokens_.unsupported(token().position, "the modifier \"" + token().text + '"');
        }
    }

    ExpressionPtr unary() {
        const std::size_t position = token().position;
        const bool negative = token().is_symbol("-");
        if (!negative && !token().is_symbol("+"))
            return postfix(primary());
        tokens_.advance();
        // A sign binds tighter than all operators of the fake.
        const Level level(*this);
        ExpressionPtr inner = unary();
        if (inner->type != ValueType::scalar && inner->type != ValueType::instant_vector)
            tokens_.fail(position, "unary expression only allowed on expressions of type scalar or "
                                   "instant vector, got \"" +
                                       std::string(to_string(inner->type)) + '"');
        if (!negative)
            return inner;
        const ValueType type = inner->type;
        return make_expression(type, Negation{std::move(inner)});
    }

    ExpressionPtr postfix(ExpressionPtr inner) {
        while (true) {
            if (token().is_word("offset") || token().is_symbol("@"))
                tokens_.unsupported(token().position, "the modifier \"" + token().text + '"');
            if (!token().is_symbol("["))
                return inner;
            inner = SelectorParser(tokens_).range(std::move(inner));
        }
    }

    ExpressionPtr primary() {
        const Token first = token();
        switch (first.kind) {
        case TokenKind::number:
            tokens_.advance();
            return number(*parse_number(first.text));
        case TokenKind::string:
            tokens_.advance();
            return make_expression(ValueType::string, StringLiteral{first.text});
        case TokenKind::identifier:
            return named(first);
        case TokenKind::symbol:
            if (tokens_.accept("(")) {
                ExpressionPtr inner = binary(1);
                require_closed();
                tokens_.expect(")", "");
                return inner;
            }
            if (first.text == "{")
                return SelectorParser(tokens_).selector("", first.position);
            break;
        case TokenKind::duration:
        case TokenKind::end:
            break;
        }
        tokens_.unexpected("");
    }

    static ExpressionPtr number(double value) {
        return make_expression(ValueType::scalar, NumberLiteral{value});
    }

    void require_closed() const {
        if (tokens_.at_end())
            tokens_.fail(token().position, "unclosed left parenthesis");
    }

    ExpressionPtr named(const Token& name) {
        tokens_.advance();
        const bool grouped = token().is_word("by") || token().is_word("without");
        if (grouped || token().is_symbol("(")) {
            if (const auto aggregator = find_aggregator(name))
                return aggregation(*aggregator, name.position);
            if (is_other_aggregator(name))
                tokens_.unsupported(name.position, "the aggregation \"" + name.text + '"');
        }
        if (token().is_symbol("("))
            return call(name);
        if (name.is_word("inf"))
            return number(std::numeric_limits<double>::infinity());
        if (name.is_word("nan"))
            return number(std::numeric_limits<double>::quiet_NaN());
        if (wva_metrics::detail::is_reserved_as_metric(name.text))
            tokens_.fail(name.position, "unexpected <" + name.text + ">");
        return SelectorParser(tokens_).selector(name.text, name.position);
    }

    ExpressionPtr call(const Token& name) {
        const FunctionInfo* info = find_function(name.text);
        if (info == nullptr)
            tokens_.unsupported(name.position, "a function with name \"" + name.text + '"');
        tokens_.expect("(", " in call");
        Call node{info->function, {}};
        std::vector<std::size_t> positions;
        while (!token().is_symbol(")")) {
            require_closed();
            if (!node.arguments.empty())
                tokens_.expect(",", " in call");
            positions.push_back(token().position);
            node.arguments.push_back(binary(1));
        }
        tokens_.advance();
        const std::size_t wanted = info->argument_count();
        if (node.arguments.size() != wanted)
            tokens_.fail(name.position, "expected " + std::to_string(wanted) +
                                            " argument(s) in call to \"" + name.text + "\", got " +
                                            std::to_string(node.arguments.size()));
        for (std::size_t i = 0; i < wanted; ++i) {
            const ValueType given = node.arguments[i]->type;
            if (given != info->argument(i))
                tokens_.fail(positions[i], "expected type " +
                                               std::string(to_string(info->argument(i))) +
                                               " in call to function \"" + name.text + "\", got " +
                                               std::string(to_string(given)));
        }
        return make_expression(info->result, std::move(node));
    }

    ExpressionPtr aggregation(Aggregator aggregator, std::size_t position) {
        Aggregation node{aggregator, nullptr, {}, false, nullptr};
        const bool prefixed = grouping(node);
        tokens_.expect("(", " in aggregation");
        if (aggregator == Aggregator::topk)
            node.parameter = aggregation_parameter();
        const std::size_t inner_position = token().position;
        node.inner = binary(1);
        if (token().is_symbol(","))
            tokens_.fail(position, "wrong number of arguments for aggregate expression provided, "
                                   "expected 1, got 2");
        require_closed();
        tokens_.expect(")", " in aggregation");
        if (node.inner->type != ValueType::instant_vector)
            tokens_.fail(inner_position,
                         "expected type instant vector in aggregation expression, got " +
                             std::string(to_string(node.inner->type)));
        if (!prefixed)
            grouping(node);
        return make_expression(ValueType::instant_vector, std::move(node));
    }

    /// Parses a scalar and the comma after it.
    ExpressionPtr aggregation_parameter() {
        const std::size_t position = token().position;
        ExpressionPtr parameter = binary(1);
        if (parameter->type != ValueType::scalar)
            tokens_.fail(position, "expected type scalar in aggregation parameter, got " +
                                       std::string(to_string(parameter->type)));
        tokens_.expect(",", " in aggregation");
        return parameter;
    }

    /// Parses `by (...)` or `without (...)`; false if there is neither.
    bool grouping(Aggregation& node) {
        node.without = token().is_word("without");
        if (!node.without && !token().is_word("by"))
            return false;
        tokens_.advance();
        tokens_.expect("(", " in grouping opts");
        while (!tokens_.accept(")")) {
            if (token().kind != TokenKind::identifier ||
                !wva_metrics::detail::is_label_name(token().text) ||
                wva_metrics::detail::is_reserved_as_label(token().text))
                tokens_.unexpected(" in grouping opts, expected label");
            node.grouping.push_back(token().text);
            tokens_.advance();
            if (!tokens_.accept(",") && !token().is_symbol(")"))
                tokens_.unexpected(" in grouping opts, expected \",\" or \")\"");
        }
        return true;
    }

    TokenStream tokens_;
    std::size_t nesting_ = 0;
    std::size_t operators_ = 0;
};

} // namespace wva_metrics::testing::detail
