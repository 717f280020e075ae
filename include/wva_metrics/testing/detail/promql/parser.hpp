// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/metric_names.hpp"
#include "wva_metrics/testing/detail/promql/expression.hpp"
#include "wva_metrics/testing/detail/promql/lexer.hpp"
#include "wva_metrics/testing/detail/promql/query_failure.hpp"
#include "wva_metrics/testing/detail/promql/vocabulary.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics::testing {

namespace detail {

class PromqlParser {
public:
    explicit PromqlParser(std::string_view query) : query_(query), lexer_(query) { advance(); }

    ExpressionPtr parse() {
        if (token_.kind == TokenKind::end)
            fail(0, "no expression found in input");
        ExpressionPtr whole = binary(1);
        if (token_.kind != TokenKind::end)
            unexpected("");
        return whole;
    }

private:
    // Recursion is on the caller's stack.
    static constexpr std::size_t max_nesting = 100;
    static constexpr std::size_t max_operators = 2000;

    /// Counts a level of nesting while it is alive.
    class Level {
    public:
        explicit Level(PromqlParser& parser) : parser_(parser) {
            if (++parser_.nesting_ > max_nesting)
                parser_.fail(parser_.token_.position, "the query nests too deeply for the fake");
        }
        Level(const Level&) = delete;
        Level& operator=(const Level&) = delete;
        ~Level() { --parser_.nesting_; }

    private:
        PromqlParser& parser_;
    };

    [[noreturn]] void fail(std::size_t position, const std::string& message) const {
        throw_parse_error(query_, position, message);
    }
    [[noreturn]] void unsupported(std::size_t position, const std::string& what) const {
        fail(position, "the fake Prometheus does not support " + what);
    }
    [[noreturn]] void unexpected(const std::string& context) const {
        if (token_.kind == TokenKind::end)
            fail(token_.position, "unexpected end of input" + context);
        fail(token_.position, "unexpected \"" + token_.text + '"' + context);
    }

    [[noreturn]] void unexpected_in_braces(const std::string& context) const {
        unexpected(token_.kind == TokenKind::end ? " inside braces" : context);
    }

    void advance() { token_ = lexer_.next(); }
    bool accept(std::string_view symbol) {
        if (!token_.is_symbol(symbol))
            return false;
        advance();
        return true;
    }
    void expect(std::string_view symbol, const std::string& context) {
        if (!accept(symbol))
            unexpected(context + ", expected \"" + std::string(symbol) + '"');
    }

    template <typename Node>
    static ExpressionPtr make(ValueType type, Node node) {
        return std::make_unique<Expression>(Expression{type, std::move(node)});
    }

    /// Precedence climbing: parses operators that bind at least as tightly as `weakest`.
    ExpressionPtr binary(int weakest) {
        const Level level(*this);
        const std::size_t position = token_.position;
        ExpressionPtr left = unary();
        while (const OperatorInfo* info = find_operator(token_)) {
            if (info->precedence < weakest)
                break;
            if (!info->operation)
                unsupported(token_.position, "the operator \"" + token_.text + '"');
            if (++operators_ > max_operators)
                unsupported(token_.position, "that many operators in one query");
            advance();
            refuse_modifiers();
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
            fail(position, "binary expression must contain only scalar and instant vector types");
        const bool vectors =
            left->type == ValueType::instant_vector && right->type == ValueType::instant_vector;
        const bool scalars = left->type == right->type && !vectors;
        if (is_set_operator(*info.operation) && !vectors)
            fail(position, "set operator \"" + std::string(info.spelling) +
                               "\" not allowed in binary scalar expression");
        return make(scalars ? ValueType::scalar : ValueType::instant_vector,
                    Binary{*info.operation, std::move(left), std::move(right)});
    }

    void refuse_modifiers() const {
        for (const std::string_view word :
             {"on", "ignoring", "group_left", "group_right", "bool"}) {
            if (token_.is_word(word))
                unsupported(token_.position, "the modifier \"" + token_.text + '"');
        }
    }

    ExpressionPtr unary() {
        const std::size_t position = token_.position;
        const bool negative = token_.is_symbol("-");
        if (!negative && !token_.is_symbol("+"))
            return postfix(primary());
        advance();
        // Binds tighter than every operator there is here.
        const Level level(*this);
        ExpressionPtr inner = unary();
        if (inner->type != ValueType::scalar && inner->type != ValueType::instant_vector)
            fail(position, "unary expression only allowed on expressions of type scalar or instant "
                           "vector, got \"" +
                               std::string(to_string(inner->type)) + '"');
        if (!negative)
            return inner;
        const ValueType type = inner->type;
        return make(type, Negation{std::move(inner)});
    }

    ExpressionPtr primary() {
        const Token first = token_;
        switch (first.kind) {
        case TokenKind::number:
            advance();
            return make(ValueType::scalar, NumberLiteral{*parse_number(first.text)});
        case TokenKind::string:
            advance();
            return make(ValueType::string, StringLiteral{first.text});
        case TokenKind::identifier:
            return named(first);
        case TokenKind::symbol:
            if (accept("(")) {
                ExpressionPtr inner = binary(1);
                if (token_.kind == TokenKind::end)
                    fail(token_.position, "unclosed left parenthesis");
                expect(")", "");
                return inner;
            }
            if (first.text == "{")
                return selector("", first.position);
            break;
        case TokenKind::duration:
        case TokenKind::end:
            break;
        }
        unexpected("");
    }

    ExpressionPtr named(const Token& name) {
        advance();
        const bool grouped = token_.is_word("by") || token_.is_word("without");
        if (grouped || token_.is_symbol("(")) {
            if (const auto aggregator = find_aggregator(name))
                return aggregation(*aggregator, name.position);
            if (is_other_aggregator(name))
                unsupported(name.position, "the aggregation \"" + name.text + '"');
        }
        if (token_.is_symbol("("))
            return call(name);
        if (name.is_word("inf"))
            return make(ValueType::scalar, NumberLiteral{std::numeric_limits<double>::infinity()});
        if (name.is_word("nan"))
            return make(ValueType::scalar, NumberLiteral{std::numeric_limits<double>::quiet_NaN()});
        if (wva_metrics::detail::is_reserved_as_metric(name.text))
            fail(name.position, "unexpected <" + name.text + ">");
        return selector(name.text, name.position);
    }

    ExpressionPtr call(const Token& name) {
        const FunctionInfo* info = find_function(name.text);
        if (info == nullptr)
            unsupported(name.position, "a function with name \"" + name.text + '"');
        expect("(", " in call");
        Call node{info->function, {}};
        std::vector<std::size_t> positions;
        while (!token_.is_symbol(")")) {
            if (token_.kind == TokenKind::end)
                fail(token_.position, "unclosed left parenthesis");
            if (!node.arguments.empty())
                expect(",", " in call");
            positions.push_back(token_.position);
            node.arguments.push_back(binary(1));
        }
        advance();
        const std::size_t wanted = info->argument_count();
        if (node.arguments.size() != wanted)
            fail(name.position, "expected " + std::to_string(wanted) +
                                    " argument(s) in call to \"" + name.text + "\", got " +
                                    std::to_string(node.arguments.size()));
        for (std::size_t i = 0; i < wanted; ++i) {
            const ValueType given = node.arguments[i]->type;
            if (given != info->argument(i))
                fail(positions[i], "expected type " + std::string(to_string(info->argument(i))) +
                                       " in call to function \"" + name.text + "\", got " +
                                       std::string(to_string(given)));
        }
        return make(info->result, std::move(node));
    }

    ExpressionPtr aggregation(Aggregator aggregator, std::size_t position) {
        Aggregation node{aggregator, nullptr, {}, false};
        const bool prefixed = grouping(node);
        expect("(", " in aggregation");
        const std::size_t inner_position = token_.position;
        node.inner = binary(1);
        if (token_.is_symbol(","))
            fail(position, "wrong number of arguments for aggregate expression provided, expected "
                           "1, got 2");
        if (token_.kind == TokenKind::end)
            fail(token_.position, "unclosed left parenthesis");
        expect(")", " in aggregation");
        if (node.inner->type != ValueType::instant_vector)
            fail(inner_position, "expected type instant vector in aggregation expression, got " +
                                     std::string(to_string(node.inner->type)));
        if (!prefixed)
            grouping(node);
        return make(ValueType::instant_vector, std::move(node));
    }

    bool grouping(Aggregation& node) {
        node.without = token_.is_word("without");
        if (!node.without && !token_.is_word("by"))
            return false;
        advance();
        expect("(", " in grouping opts");
        while (!accept(")")) {
            if (token_.kind != TokenKind::identifier ||
                !wva_metrics::detail::is_label_name(token_.text) ||
                wva_metrics::detail::is_reserved_as_label(token_.text))
                unexpected(" in grouping opts, expected label");
            node.grouping.push_back(token_.text);
            advance();
            if (!accept(",") && !token_.is_symbol(")"))
                unexpected(" in grouping opts, expected \",\" or \")\"");
        }
        return true;
    }

    ExpressionPtr selector(const std::string& metric, std::size_t position) {
        VectorSelector node{metric, {}};
        if (!metric.empty())
            node.matchers.push_back({std::string(LabelSet::metric_name), metric});
        if (accept("{"))
            matchers(node, position);
        if (std::all_of(node.matchers.begin(), node.matchers.end(),
                        [](const LabelMatcher& matcher) { return matcher.matches(""); }))
            fail(position, "vector selector must contain at least one non-empty matcher");
        return make(ValueType::instant_vector, std::move(node));
    }

    void matchers(VectorSelector& node, std::size_t position) {
        const std::string metric = node.metric;
        while (!accept("}")) {
            LabelMatcher parsed = matcher(position);
            if (parsed.name == LabelSet::metric_name && !parsed.negated && !parsed.regex) {
                if (!metric.empty())
                    fail(position, "metric name must not be set twice: \"" + metric + "\" or \"" +
                                       parsed.value + '"');
                node.metric = parsed.value;
            }
            node.matchers.push_back(std::move(parsed));
            if (!accept(",") && !token_.is_symbol("}"))
                unexpected_in_braces(" in label matching, expected \",\" or \"}\"");
        }
    }

    LabelMatcher matcher(std::size_t selector_position) {
        if (token_.kind != TokenKind::identifier ||
            !wva_metrics::detail::is_label_name(token_.text))
            unexpected_in_braces(" in label matching, expected identifier or \"}\"");
        LabelMatcher parsed{token_.text, ""};
        advance();
        const std::string operation = token_.kind == TokenKind::symbol ? token_.text : "";
        if (operation != "=" && operation != "!=" && operation != "=~" && operation != "!~")
            unexpected_in_braces(" in label matching, expected label matching operator");
        advance();
        if (token_.kind != TokenKind::string)
            unexpected_in_braces(" in label matching, expected string");
        parsed.value = token_.text;
        parsed.negated = operation.front() == '!';
        if (operation.back() == '~') {
            try {
                parsed.regex.emplace(parsed.value);
            } catch (const std::invalid_argument& error) {
                fail(selector_position, std::string("error parsing regexp: ") + error.what());
            }
        }
        advance();
        return parsed;
    }

    ExpressionPtr postfix(ExpressionPtr inner) {
        while (true) {
            if (token_.is_word("offset") || token_.is_symbol("@"))
                unsupported(token_.position, "the modifier \"" + token_.text + '"');
            if (!token_.is_symbol("["))
                return inner;
            inner = range(std::move(inner));
        }
    }

    ExpressionPtr range(ExpressionPtr inner) {
        const std::size_t position = token_.position;
        advance();
        const Milliseconds range = duration();
        if (accept(":")) {
            if (inner->type != ValueType::instant_vector)
                fail(position, "subquery is only allowed on instant vector, got " +
                                   std::string(to_string(inner->type)) + " instead");
            const Milliseconds step = token_.is_symbol("]") ? default_subquery_step : duration();
            close_bracket();
            return make(ValueType::range_vector, Subquery{std::move(inner), range, step});
        }
        close_bracket();
        auto* selector = std::get_if<VectorSelector>(&inner->node);
        if (selector == nullptr)
            fail(position, "ranges only allowed for vector selectors");
        return make(ValueType::range_vector, RangeSelector{std::move(*selector), range});
    }

    Milliseconds duration() {
        const auto parsed = parse_duration(token_.text);
        if (token_.kind == TokenKind::number)
            fail(token_.position, "missing unit character in duration");
        if (token_.kind != TokenKind::duration || !parsed)
            unexpected(" in duration");
        if (*parsed == 0)
            fail(token_.position, "duration must be greater than 0");
        advance();
        return *parsed;
    }

    void close_bracket() {
        if (token_.kind == TokenKind::end)
            fail(token_.position, "unclosed left bracket");
        expect("]", " in range");
    }

    // Prometheus' own default for global.evaluation_interval.
    static constexpr Milliseconds default_subquery_step = 60'000;

    std::string_view query_;
    PromqlLexer lexer_;
    Token token_;
    std::size_t nesting_ = 0;
    std::size_t operators_ = 0;
};

} // namespace detail

/// Parses and type-checks the part of PromQL that the fake Prometheus understands:
///
/// - selectors with `=`, `!=`, `=~`, `!~`; ranges `[1m30s]`; subqueries `[1h:1m]`
/// - `rate`, `increase`, `max_`, `min_`, `avg_`, `sum_`, `last_` and `count_over_time`,
///   `timestamp`, `time`, `vector`, `label_replace`
/// - `sum`, `min`, `max`, `avg`, `count`, with `by` or `without` before or after the operand
/// - `or`, `and`, `unless`, `+`, `-`, `*`, `/`, matching on all labels; unary minus; parentheses
/// - number and string literals, comments
///
/// Throws QueryFailure: for what is wrong in PromQL, in Prometheus' own words where they are short;
/// for what the fake does not know, saying so.
inline ExpressionPtr parse_promql(std::string_view query) {
    return detail::PromqlParser(query).parse();
}

} // namespace wva_metrics::testing
