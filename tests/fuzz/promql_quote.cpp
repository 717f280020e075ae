// SPDX-License-Identifier: Apache-2.0

#include "wva_metrics/promql/matcher.hpp"
#include "wva_metrics/promql/parse_matchers.hpp"
#include "wva_metrics/promql/quote.hpp"
#include "wva_metrics/testing/detail/promql/lexer.hpp"
#include "wva_metrics/testing/detail/promql/regex_matcher.hpp"

#include "fuzz/properties.hpp"
#include "fuzz/target.hpp"

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace wva_metrics::fuzz {
namespace {

/// What PromQL reads from the one literal that the text is.
std::string value_of_literal(const std::string& literal) {
    testing::detail::PromqlLexer lexer(literal);
    const testing::detail::Token token = lexer.next();
    expect(token.kind == testing::detail::TokenKind::string, "not a string: " + literal);
    expect(lexer.next().kind == testing::detail::TokenKind::end, "more than one token: " + literal);
    return token.text;
}

/// Any text is quoted so that PromQL reads exactly it and nothing else; text that is not UTF-8 is
/// refused.
void fuzz_promql_quote(std::string_view bytes) {
    const Result<std::string> literal = promql::quote(bytes);
    const Result<std::string> regex = promql::quote_regex(bytes);
    expect(literal.has_value() == detail::is_valid_utf8(bytes), "quoted, but not UTF-8");
    expect(regex.has_value() == literal.has_value(), "a text and its expression disagree");
    if (!literal) {
        expect_explained(literal.error(), {Errc::invalid_argument});
        return expect(regex.error() == literal.error(), "two words for the same");
    }
    for (const char c : *literal)
        expect(detail::invisible_control(std::string_view(&c, 1)) != 1,
               "a literal with a control character");
    expect(value_of_literal(*literal) == bytes, "PromQL reads another text from " + *literal);

    const std::string pattern = value_of_literal(*promql::quote(*regex));
    const testing::detail::RegexMatcher matcher(pattern);
    expect(matcher.matches(bytes), "the expression does not match its text: " + pattern);
    expect(!matcher.matches(std::string(bytes) + "x"), "it matches a longer text: " + pattern);
    expect(bytes.empty() || !matcher.matches(bytes.substr(1)), "it matches a shorter text");

    using Operator = promql::MatchOperator;
    for (const Operator op :
         {Operator::equal, Operator::not_equal, Operator::regex, Operator::not_regex}) {
        const std::vector<promql::Matcher> written{{"a", op, std::string(bytes)},
                                                   {"_b2", Operator::equal, "second"}};
        const auto read = promql::parse_matchers('{' + promql::to_string(written) + '}');
        expect(read.has_value() && *read == written, "matchers read otherwise than written");
    }
}

const RegisteredTarget promql_quote_target("promql_quote", &fuzz_promql_quote);

} // namespace
} // namespace wva_metrics::fuzz
