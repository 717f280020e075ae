// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/metric_names.hpp"
#include "wva_metrics/testing/detail/promql/literals.hpp"
#include "wva_metrics/testing/detail/promql/query_failure.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace wva_metrics::testing::detail {

enum class TokenKind { end, identifier, number, duration, string, symbol };

struct Token {
    TokenKind kind = TokenKind::end;
    /// As written in the query; of a string, the unescaped content.
    std::string text;
    /// Byte offset in the query.
    std::size_t position = 0;

    bool is_symbol(std::string_view symbol) const noexcept {
        return kind == TokenKind::symbol && text == symbol;
    }
    /// True for a keyword in any case of letters.
    bool is_word(std::string_view lower_case) const noexcept {
        return kind == TokenKind::identifier &&
               wva_metrics::detail::equals_ignoring_case(text, lower_case);
    }
};

/// Throws a parse error at a byte offset, worded as in Prometheus.
[[noreturn]] inline void throw_parse_error(std::string_view query, std::size_t position,
                                           const std::string& message) {
    const std::string_view before = query.substr(0, position);
    const auto line = std::count(before.begin(), before.end(), '\n') + 1;
    const std::size_t line_start = before.rfind('\n');
    const std::size_t column =
        line_start == std::string_view::npos ? position + 1 : position - line_start;
    throw QueryFailure::bad_data("invalid parameter \"query\": " + std::to_string(line) + ":" +
                                 std::to_string(column) + ": parse error: " + message);
}

/// Splits a query into tokens. Throws QueryFailure if a token is malformed.
class PromqlLexer {
public:
    explicit PromqlLexer(std::string_view query) : query_(query) {}

    Token next() {
        skip_blanks();
        Token token;
        token.position = at_;
        if (at_ == query_.size())
            return token;
        const char c = query_[at_];
        if (c == '"' || c == '\'' || c == '`') {
            token.kind = TokenKind::string;
            token.text = string_literal(c);
        } else if (is_digit(c) || (c == '.' && is_digit(peek(1)))) {
            token = number_or_duration();
        } else if (wva_metrics::detail::is_name_start(c) || (c == ':' && !in_brackets_)) {
            token.kind = TokenKind::identifier;
            token.text = take_while([this](char letter) {
                return wva_metrics::detail::is_name_rest(letter) ||
                       (letter == ':' && !in_brackets_);
            });
        } else {
            token.kind = TokenKind::symbol;
            token.text = symbol();
        }
        return token;
    }

private:
    static bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
    static bool is_alphanumeric(char c) noexcept {
        return wva_metrics::detail::is_name_rest(c) && c != '_';
    }
    char peek(std::size_t ahead) const noexcept {
        return at_ + ahead < query_.size() ? query_[at_ + ahead] : '\0';
    }

    template <typename Predicate>
    std::string take_while(Predicate&& wanted) {
        const std::size_t start = at_;
        while (at_ < query_.size() && wanted(query_[at_]))
            ++at_;
        return std::string(query_.substr(start, at_ - start));
    }

    void skip_blanks() {
        while (at_ < query_.size()) {
            const char c = query_[at_];
            if (c == '#')
                at_ = std::min(query_.find('\n', at_), query_.size());
            else if (c == ' ' || c == '\t' || c == '\n' || c == '\r')
                ++at_;
            else
                return;
        }
    }

    std::string string_literal(char quote) {
        const std::size_t start = at_;
        const auto parsed = parse_string_literal(query_.substr(start), quote);
        if (!parsed.error.empty())
            throw_parse_error(query_, start, parsed.error);
        at_ += parsed.length;
        return parsed.text;
    }

    Token number_or_duration() {
        Token token;
        token.position = at_;
        token.kind = TokenKind::number;
        token.text = take_while([](char c) { return is_alphanumeric(c) || c == '.' || c == '_'; });
        // The sign of an exponent is not alphanumeric, so it is read separately.
        const bool is_hexadecimal = token.text.starts_with("0x") || token.text.starts_with("0X");
        const bool has_exponent = token.text.ends_with('e') || token.text.ends_with('E');
        if (!is_hexadecimal && has_exponent && (peek(0) == '+' || peek(0) == '-')) {
            token.text += query_[at_++];
            token.text += take_while(is_digit);
        }
        if (!parse_number(token.text)) {
            if (!parse_duration(token.text))
                throw_parse_error(query_, token.position,
                                  "bad number or duration syntax: \"" + token.text + '"');
            token.kind = TokenKind::duration;
        }
        return token;
    }

    std::string symbol() {
        constexpr std::array<std::string_view, 26> symbols = {
            "=~", "!~", "!=", "==", "<=", ">=", "=", "<", ">", "{", "}", "(", ")",
            "[",  "]",  ",",  ":",  "+",  "-",  "*", "/", "%", "^", "@", ";", "!"};
        const std::string_view rest = query_.substr(at_);
        const auto found = std::find_if(symbols.begin(), symbols.end(), [&](std::string_view each) {
            return rest.starts_with(each);
        });
        if (found == symbols.end())
            throw_parse_error(query_, at_,
                              "unexpected character: '" + std::string(rest.substr(0, 1)) + '\'');
        at_ += found->size();
        if (*found == "[")
            in_brackets_ = true;
        else if (*found == "]")
            in_brackets_ = false;
        return std::string(*found);
    }

    std::string_view query_;
    std::size_t at_ = 0;
    // A colon can start a metric name, except in `[1h:1m]`.
    bool in_brackets_ = false;
};

} // namespace wva_metrics::testing::detail
