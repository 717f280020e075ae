// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/metric_names.hpp"
#include "wva_metrics/testing/detail/promql/expression.hpp"
#include "wva_metrics/testing/detail/promql/literals.hpp"
#include "wva_metrics/testing/detail/promql/token_stream.hpp"

#include <algorithm>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <utility>

namespace wva_metrics::testing::detail {

/// Parses selectors, `metric{label="value"}`, and the ranges and subqueries that follow an
/// expression, `[5m]` and `[1h:1m]`.
class SelectorParser {
public:
    explicit SelectorParser(TokenStream& tokens) : tokens_(tokens) {}

    /// Parses the rest of a selector behind the metric name. The name is empty if the selector
    /// begins with `{`.
    ExpressionPtr selector(const std::string& metric, std::size_t position) {
        VectorSelector node{metric, {}};
        if (!metric.empty())
            node.matchers.push_back({std::string(LabelSet::metric_name), metric});
        if (tokens_.accept("{"))
            matchers(node, position);
        if (std::all_of(node.matchers.begin(), node.matchers.end(),
                        [](const LabelMatcher& matcher) { return matcher.matches(""); }))
            tokens_.fail(position, "vector selector must contain at least one non-empty matcher");
        return make_expression(ValueType::instant_vector, std::move(node));
    }

    /// Parses the brackets behind `inner`.
    ExpressionPtr range(ExpressionPtr inner) {
        const std::size_t position = token().position;
        tokens_.advance();
        const Milliseconds range = duration();
        if (tokens_.accept(":")) {
            if (inner->type != ValueType::instant_vector)
                tokens_.fail(position, "subquery is only allowed on instant vector, got " +
                                           std::string(to_string(inner->type)) + " instead");
            const Milliseconds step = token().is_symbol("]") ? default_subquery_step : duration();
            close_bracket();
            return make_expression(ValueType::range_vector,
                                   Subquery{std::move(inner), range, step});
        }
        close_bracket();
        auto* selector = std::get_if<VectorSelector>(&inner->node);
        if (selector == nullptr)
            tokens_.fail(position, "ranges only allowed for vector selectors");
        return make_expression(ValueType::range_vector, RangeSelector{std::move(*selector), range});
    }

private:
    // The default of Prometheus for global.evaluation_interval.
    static constexpr Milliseconds default_subquery_step = 60'000;

    const Token& token() const noexcept { return tokens_.current(); }

    [[noreturn]] void unexpected_in_braces(const std::string& context) const {
        tokens_.unexpected(tokens_.at_end() ? " inside braces" : context);
    }

    void matchers(VectorSelector& node, std::size_t position) {
        const std::string metric = node.metric;
        while (!tokens_.accept("}")) {
            LabelMatcher parsed = matcher(position);
            if (parsed.name == LabelSet::metric_name && !parsed.negated && !parsed.regex) {
                if (!metric.empty())
                    tokens_.fail(position, "metric name must not be set twice: \"" + metric +
                                               "\" or \"" + parsed.value + '"');
                node.metric = parsed.value;
            }
            node.matchers.push_back(std::move(parsed));
            if (!tokens_.accept(",") && !token().is_symbol("}"))
                unexpected_in_braces(" in label matching, expected \",\" or \"}\"");
        }
    }

    LabelMatcher matcher(std::size_t selector_position) {
        if (token().kind != TokenKind::identifier ||
            !wva_metrics::detail::is_label_name(token().text))
            unexpected_in_braces(" in label matching, expected identifier or \"}\"");
        LabelMatcher parsed{token().text, ""};
        tokens_.advance();
        const std::string operation = token().kind == TokenKind::symbol ? token().text : "";
        if (operation != "=" && operation != "!=" && operation != "=~" && operation != "!~")
            unexpected_in_braces(" in label matching, expected label matching operator");
        tokens_.advance();
        if (token().kind != TokenKind::string)
            unexpected_in_braces(" in label matching, expected string");
        parsed.value = token().text;
        parsed.negated = operation.front() == '!';
        if (operation.back() == '~') {
            try {
                parsed.regex.emplace(parsed.value);
            } catch (const std::invalid_argument& error) {
                tokens_.fail(selector_position,
                             std::string("error parsing regexp: ") + error.what());
            }
        }
        tokens_.advance();
        return parsed;
    }

    Milliseconds duration() {
        const auto parsed = parse_duration(token().text);
        if (token().kind == TokenKind::number)
            tokens_.fail(token().position, "missing unit character in duration");
        if (token().kind != TokenKind::duration || !parsed)
            tokens_.unexpected(" in duration");
        if (*parsed == 0)
            tokens_.fail(token().position, "duration must be greater than 0");
        tokens_.advance();
        return *parsed;
    }

    void close_bracket() {
        if (tokens_.at_end())
            tokens_.fail(token().position, "unclosed left bracket");
        tokens_.expect("]", " in range");
    }

    TokenStream& tokens_;
};

} // namespace wva_metrics::testing::detail
