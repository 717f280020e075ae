// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/promql/quote.hpp"

#include <catch2/catch_all.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>

using namespace std::string_literals;
using namespace wva_metrics::promql;
using wva_metrics::Errc;

namespace {

std::string encode(std::uint32_t code_point) {
    const auto tail = [](std::uint32_t bits) { return static_cast<char>(0x80U | (bits & 0x3FU)); };
    if (code_point < 0x80)
        return {static_cast<char>(code_point)};
    if (code_point < 0x800)
        return {static_cast<char>(0xC0U | (code_point >> 6U)), tail(code_point)};
    if (code_point < 0x10000)
        return {static_cast<char>(0xE0U | (code_point >> 12U)), tail(code_point >> 6U),
                tail(code_point)};
    return {static_cast<char>(0xF0U | (code_point >> 18U)), tail(code_point >> 12U),
            tail(code_point >> 6U), tail(code_point)};
}

/// Parses a double-quoted literal as Prometheus does, lexer and unquoting together: the whole text
/// must be one literal, and an unescaped line break or U+FFFD is an error.
std::optional<std::string> unquote(std::string_view literal) {
    if (literal.size() < 2 || literal.front() != '"' || literal.back() != '"')
        return std::nullopt;
    literal = literal.substr(1, literal.size() - 2);
    std::string text;
    for (std::size_t i = 0; i < literal.size(); ++i) {
        if (literal[i] == '"' || literal[i] == '\n' || literal.substr(i, 3) == "\xEF\xBF\xBD")
            return std::nullopt;
        if (literal[i] != '\\') {
            text += literal[i];
            continue;
        }
        if (++i == literal.size())
            return std::nullopt;
        switch (literal[i]) {
        case 'a':
            text += '\a';
            break;
        case 'b':
            text += '\b';
            break;
        case 'f':
            text += '\f';
            break;
        case 'n':
            text += '\n';
            break;
        case 'r':
            text += '\r';
            break;
        case 't':
            text += '\t';
            break;
        case 'v':
            text += '\v';
            break;
        case '\\':
            text += '\\';
            break;
        case '"':
            text += '"';
            break;
        case 'x':
            text +=
                static_cast<char>(std::stoul(std::string(literal.substr(i + 1, 2)), nullptr, 16));
            i += 2;
            break;
        case 'u':
            text += encode(static_cast<std::uint32_t>(
                std::stoul(std::string(literal.substr(i + 1, 4)), nullptr, 16)));
            i += 4;
            break;
        default:
            return std::nullopt;
        }
    }
    return text;
}

/// The only text that a regular expression of literals matches; nothing if it could match others.
std::optional<std::string> only_match(std::string_view expression) {
    constexpr std::string_view meta = "\\.+*?()|[]{}^$";
    std::string text;
    for (std::size_t i = 0; i < expression.size(); ++i) {
        if (expression[i] == '\\') {
            // RE2 gives a backslash before a letter or a digit another meaning.
            if (++i == expression.size() || meta.find(expression[i]) == std::string_view::npos)
                return std::nullopt;
        } else if (meta.find(expression[i]) != std::string_view::npos) {
            return std::nullopt;
        }
        text += expression[i];
    }
    return text;
}

std::string random_text(std::mt19937& random) {
    // Mostly characters that can break quoting, and some of all others.
    static const std::u32string awkward =
        U"\"\\\n\r\t'`.+*?()|[]{}^$-/:%#\x7F\x85\u2028\u2029\uFEFF\uFFFD\uFFFE\U0001F600xu0nN1";
    std::uniform_int_distribution<std::size_t> length(0, 24);
    std::uniform_int_distribution<std::size_t> pick(0, awkward.size() - 1);
    std::uniform_int_distribution<std::uint32_t> any(0, 0x10FFFF);
    std::bernoulli_distribution is_awkward(0.8);
    std::string text;
    for (std::size_t left = length(random); left > 0; --left) {
        std::uint32_t code_point = is_awkward(random) ? awkward[pick(random)] : any(random);
        if (code_point >= 0xD800 && code_point <= 0xDFFF)
            code_point -= 0xD800;
        text += encode(code_point);
    }
    return text;
}

} // namespace

TEST_CASE("2.1 row 14: a quoted text cannot break out of its quotes, not even with a line break") {
    CHECK(quote("").value() == R"("")");
    CHECK(quote("meta-llama/Llama-3.1-8B").value() == R"("meta-llama/Llama-3.1-8B")");
    CHECK(quote(R"(a"} or vector(1) #)").value() == R"("a\"} or vector(1) #")");
    CHECK(quote(R"(back\slash)").value() == R"("back\\slash")");
    CHECK(quote("new\nline").value() == R"("new\nline")");
    CHECK(quote("a\r\tb\x7F\x1B").value() == R"("a\x0d\x09b\x7f\x1b")");
    CHECK(quote("nul\0!"s).value() == R"("nul\x00!")");
}

TEST_CASE("text beyond ASCII is quoted unchanged, except the replacement character") {
    CHECK(quote("\u00E9\u65E5\U0001F600\u2028").value() == "\"\u00E9\u65E5\U0001F600\u2028\"");
    CHECK(quote("x\uFFFDy\uFFFC").value() == "\"x\\ufffdy\uFFFC\"");
}

TEST_CASE("every character is unchanged after quoting and unquoting") {
    for (std::uint32_t code_point = 0; code_point < 0x11'0000; ++code_point) {
        if (code_point >= 0xD800 && code_point <= 0xDFFF)
            continue;
        const std::string text = encode(code_point);
        if (unquote(quote(text).value()) != text)
            FAIL("code point " << code_point);
    }
}

TEST_CASE("random text is unchanged after quoting and unquoting") {
    std::mt19937 random(20'240'601);
    for (int round = 0; round < 20'000; ++round) {
        const std::string text = random_text(random);
        const std::string literal = quote(text).value();
        if (unquote(literal) != text)
            FAIL(literal);
    }
}

TEST_CASE("2.1 row 15: a regular expression made of a text matches that text and no other") {
    CHECK(quote_regex("llama-3.1").value() == R"(llama-3\.1)");
    CHECK(quote_regex(R"(\.+*?()|[]{}^$)").value() == R"(\\\.\+\*\?\(\)\|\[\]\{\}\^\$)");
    CHECK(quote_regex("").value().empty());

    std::mt19937 random(20'240'602);
    for (int round = 0; round < 20'000; ++round) {
        const std::string text = random_text(random);
        const std::string expression = quote_regex(text).value();
        if (only_match(expression) != text)
            FAIL(expression);
        if (unquote(quote(expression).value()) != expression)
            FAIL(expression);
    }
}

TEST_CASE(
    "a regular expression has no redundant escapes, so that Prometheus recognizes a plain list") {
    CHECK(quote_regex("a-b/c:d@e#f\"g'h\n").value() == "a-b/c:d@e#f\"g'h\n");
}

TEST_CASE("invalid UTF-8 is refused, and the message names the byte") {
    for (const auto& refused : {quote("ab\xFF"), quote_regex("ab\xFF")}) {
        REQUIRE(refused.has_error());
        CHECK(refused.error().is(Errc::invalid_argument));
        CHECK(refused.error().message == "text is not valid UTF-8: byte 0xff at offset 2 of 3");
    }
    CHECK(quote("\xED\xA0\x80").has_error());
    CHECK(quote("\xE2\x82").has_error());
}
