// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/promql/matcher.hpp"

#include "wva_metrics/promql/parse_matchers.hpp"

#include <catch2/catch_all.hpp>

#include <array>
#include <cstddef>
#include <random>
#include <string>
#include <string_view>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::promql;

namespace {

using Matchers = std::vector<Matcher>;

std::string message_of(std::string_view text) {
    const auto parsed = parse_matchers(text);
    REQUIRE(parsed.has_error());
    CHECK(parsed.error().is(Errc::invalid_argument));
    return parsed.error().message;
}

std::string value_of(std::string_view literal) {
    const auto parsed = parse_matchers("a=" + std::string(literal));
    REQUIRE(parsed.has_value());
    REQUIRE(parsed->size() == 1);
    return parsed->front().value;
}

} // namespace

TEST_CASE("matchers are written as PromQL writes them, in their order and quoted") {
    CHECK(to_string(Matchers{}).empty());
    CHECK(to_string(Matchers{{"cluster", MatchOperator::equal, "eu"},
                             {"tenant", MatchOperator::regex, "a|b"},
                             {"job", MatchOperator::not_equal, "x\"} or up{a=\"\n\\"},
                             {"env", MatchOperator::not_regex, ""}}) ==
          R"(cluster="eu",tenant=~"a|b",job!="x\"} or up{a=\"\n\\",env!~"")");
}

TEST_CASE("matchers are parsed with blanks, braces and any quotes of PromQL") {
    const Matchers expected = {{"cluster", MatchOperator::equal, "eu"},
                               {"tenant", MatchOperator::regex, "a|b"}};
    for (const char* text :
         {R"(cluster="eu", tenant=~"a|b")", R"(cluster="eu",tenant=~"a|b")",
          "{cluster='eu',tenant=~`a|b`}", " { cluster = \"eu\" ,\n\ttenant =~ 'a|b' , } ",
          "cluster='eu',tenant=~'a|b',"}) {
        CAPTURE(text);
        const auto parsed = parse_matchers(text);
        REQUIRE(parsed.has_value());
        CHECK(*parsed == expected);
    }
    for (const char* nothing : {"", " \n", "{}", "{ }"})
        CHECK(parse_matchers(nothing).value().empty());
    CHECK(parse_matchers("a!=''").value().front().op == MatchOperator::not_equal);
    CHECK(parse_matchers("a!~''").value().front().op == MatchOperator::not_regex);
}

TEST_CASE("escape sequences in values of matchers have the meaning of PromQL") {
    using namespace std::string_literals;
    CHECK(value_of(R"("\a\b\f\n\r\t\v\\\"")") == "\a\b\f\n\r\t\v\\\"");
    CHECK(value_of(R"('\'"')") == "'\"");
    CHECK(value_of("`\\n\n\"'`") == "\\n\n\"'");
    CHECK(value_of(R"("\x41\101\u00e9\u20AC\U0001F600\000")") == "AA\u00E9\u20AC\U0001F600\0"s);
    CHECK(value_of(R"("\xc3\xa9")") == "\u00E9");
    CHECK(value_of("'\u65E5\u672C'") == "\u65E5\u672C");
}

TEST_CASE("a text that is no list of matchers is rejected with the position") {
    CHECK(message_of("cluster") ==
          "expected '=', '!=', '=~' or '!~' at offset 7, where the text ends");
    CHECK(message_of("cluster: 'eu'") == "expected '=', '!=', '=~' or '!~' at offset 7 of 13");
    CHECK(message_of("cluster=eu") == "expected a value in quotes at offset 8 of 10");
    CHECK(message_of("cluster=") == "expected a value in quotes at offset 8, where the text ends");
    CHECK(message_of("cluster='eu") == "a value has no closing quote; it begins at offset 8 of 11");
    CHECK(message_of("cluster='eu' tenant='a'") == "expected ',' at offset 13 of 23");
    CHECK(message_of("{cluster='eu'") == "expected '}' at offset 13, where the text ends");
    CHECK(message_of("{cluster='eu',") == "expected '}' at offset 14, where the text ends");
    CHECK(message_of("{a='b' b='c'}") == "expected ',' or '}' at offset 7 of 13");
    CHECK(message_of("{a='b'} or up") == "expected the end at offset 8 of 13");
    CHECK(message_of("a='b'}") == "expected ',' at offset 5 of 6");
    CHECK(message_of(",") == "expected the name of a label at offset 0 of 1");
    CHECK(message_of("1a='b'") == "expected the name of a label at offset 0 of 6");
    CHECK(message_of("up{a='b'}") == "expected '=', '!=', '=~' or '!~' at offset 2 of 9");
    CHECK(message_of("a='x\ny'") ==
          "a line break in a value must be written as \\n at offset 4 of 7");
    for (const char* literal :
         {R"('\q')", R"("\'")", R"('\"')", R"('\x4')", R"('\xgg')", R"('\400')", R"('\18')",
          R"('\ud800')", R"('\U00110000')", R"('\u12')", R"('\)"}) {
        CAPTURE(literal);
        CHECK(message_of("a=" + std::string(literal))
                  .starts_with("unknown escape sequence at "
                               "offset 3"));
    }
    CHECK(message_of(R"(a='\xff')") == "the value is not valid UTF-8 (text is not valid UTF-8: "
                                       "byte 0xff at offset 0 of 1); it begins at offset 2 of 8");
}

TEST_CASE("matchers that are written and parsed are the same") {
    static const std::array<std::string_view, 14> pieces = {
        "\"", "\\", "\n", "'", "`", "|", ",", "}", "a", "\x01", "\x7F", "\uFFFD", "\u00E9", "="};
    std::mt19937 random(20'240'607);
    for (int round = 0; round < 500; ++round) {
        Matchers matchers(random() % 4);
        for (Matcher& matcher : matchers) {
            matcher.label = random() % 2 == 0 ? "_a1" : "Zz";
            matcher.op = static_cast<MatchOperator>(random() % 4);
            for (std::size_t left = random() % 9; left > 0; --left)
                matcher.value += pieces[random() % pieces.size()];
        }
        CAPTURE(to_string(matchers));
        REQUIRE(parse_matchers(to_string(matchers)).value() == matchers);
        REQUIRE(parse_matchers('{' + to_string(matchers) + '}').value() == matchers);
    }
}

TEST_CASE("any bytes are parsed as matchers or rejected") {
    static constexpr std::string_view bytes = "ab=!~\"'`\\{},x1u\n \xFF\xC3";
    std::mt19937 random(20'240'608);
    std::size_t parsed = 0;
    for (int round = 0; round < 20'000; ++round) {
        std::string text;
        for (std::size_t left = random() % 12; left > 0; --left)
            text += bytes[random() % bytes.size()];
        const auto matchers = parse_matchers(text);
        if (!matchers)
            continue;
        ++parsed;
        CAPTURE(text);
        REQUIRE(validate(*matchers).empty());
    }
    CHECK(parsed > 0);
}

TEST_CASE("all problems of matchers are described") {
    const std::array<ReservedLabel, 1> reserved = {{{"pod", "all pods of a model count"}}};
    CHECK(validate(Matchers{{"cluster", MatchOperator::equal, "eu"}}, reserved).empty());
    CHECK(validate(Matchers{{"pod", MatchOperator::equal, "p"}}).empty());
    CHECK(validate(Matchers{{"a-b", MatchOperator::equal, "x"},
                            {"", MatchOperator::equal, "x"},
                            {"__name__", MatchOperator::regex, "up"},
                            {"pod", MatchOperator::equal, "p"},
                            {"cluster", MatchOperator::regex, "\xFF"}},
                   reserved) ==
          std::vector<std::string>{
              R"("a-b" is not a valid label name)", R"("" is not a valid label name)",
              R"("__name__" cannot be matched, because engine selects the metrics)",
              R"("pod" cannot be matched: all pods of a model count)",
              R"(the value of "cluster": text is not valid UTF-8: byte 0xff at offset 0 of 1)"});
}
