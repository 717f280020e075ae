// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/testing/detail/promql/lexer.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace wva_metrics::testing::detail {

/// The tokens of a query, with one token of look-ahead, and the errors that name a position in it.
/// The query's text must outlive it. Throws QueryFailure.
class TokenStream {
public:
    explicit TokenStream(std::string_view query) : query_(query), lexer_(query) { advance(); }

    const Token& current() const noexcept { return current_; }
    bool at_end() const noexcept { return current_.kind == TokenKind::end; }

    void advance() { current_ = lexer_.next(); }
    /// Skips the current token if it is this symbol.
    bool accept(std::string_view symbol) {
        if (!current_.is_symbol(symbol))
            return false;
        advance();
        return true;
    }
    /// Skips this symbol; fails if the current token is another one. `context` is the place of the
    /// symbol for the message, e.g. ` in call`.
    void expect(std::string_view symbol, const std::string& context) {
        if (!accept(symbol))
            unexpected(context + ", expected \"" + std::string(symbol) + '"');
    }

    [[noreturn]] void fail(std::size_t position, const std::string& message) const {
        throw_parse_error(query_, position, message);
    }
    [[noreturn]] void unsupported(std::size_t position, const std::string& what) const {
        fail(position, "the fake Prometheus does not support " + what);
    }
    /// Fails at the current token.
    [[noreturn]] void unexpected(const std::string& context) const {
        if (at_end())
            fail(current_.position, "unexpected end of input" + context);
        fail(current_.position, "unexpected \"" + current_.text + '"' + context);
    }

private:
    std::string_view query_;
    PromqlLexer lexer_;
    Token current_;
};

} // namespace wva_metrics::testing::detail
