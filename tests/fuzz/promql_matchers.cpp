// SPDX-License-Identifier: Apache-2.0

#include "wva_metrics/promql/matcher.hpp"
#include "wva_metrics/promql/parse_matchers.hpp"
#include "wva_metrics/testing/detail/promql/lexer.hpp"
#include "wva_metrics/testing/detail/promql/query_failure.hpp"

#include "fuzz/properties.hpp"
#include "fuzz/target.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wva_metrics::fuzz {
namespace {

using testing::detail::Token;
using testing::detail::TokenKind;

/// The tokens of matchers but for braces and commas; nothing if PromQL rejects one.
std::optional<std::vector<Token>> tokens_of(const std::string& query) {
    std::vector<Token> tokens;
    try {
        testing::detail::PromqlLexer lexer(query);
        for (Token token = lexer.next(); token.kind != TokenKind::end; token = lexer.next())
            if (!token.is_symbol("{") && !token.is_symbol("}") && !token.is_symbol(","))
                tokens.push_back(token);
    } catch (const testing::detail::QueryFailure&) {
        return std::nullopt;
    }
    return tokens;
}

/// Matchers that a person wrote are rejected with a position, or mean what PromQL means by them,
/// and read the same when they are written.
void fuzz_promql_matchers(std::string_view bytes) {
    const auto read = promql::parse_matchers(bytes);
    if (!read)
        return expect_explained(read.error(), {Errc::invalid_argument});
    const std::string written = promql::to_string(*read);
    const auto again = promql::parse_matchers(written);
    expect(again.has_value() && *again == *read, "they read otherwise when written: " + written);
    for (const std::string& problem : promql::validate(*read))
        expect_clean(problem, max_message_bytes, "a problem of a matcher");

    for (const std::string& query : {std::string(bytes), written}) {
        // Prometheus' lexer takes this character for a decoding error, unless it is escaped.
        if (query.find("\xEF\xBF\xBD") != std::string::npos)
            continue;
        const auto tokens = tokens_of(query);
        expect(tokens.has_value(), "not PromQL: " + query);
        expect(tokens->size() == 3 * read->size(), "PromQL sees another number: " + query);
        auto token = tokens->begin();
        for (const promql::Matcher& matcher : *read) {
            expect(token++->text == matcher.label, "PromQL sees another label: " + query);
            expect(token++->is_symbol(to_string(matcher.op)), "another operator: " + query);
            expect(token->kind == TokenKind::string && token->text == matcher.value,
                   "PromQL sees another value: " + query);
            ++token;
        }
    }
}

const RegisteredTarget promql_matchers_target("promql_matchers", &fuzz_promql_matchers);

} // namespace
} // namespace wva_metrics::fuzz
