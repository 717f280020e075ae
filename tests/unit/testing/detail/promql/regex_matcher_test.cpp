// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/promql/quote.hpp"
#include "wva_metrics/testing/detail/promql/regex_matcher.hpp"

#include <catch2/catch_all.hpp>

#include <random>
#include <stdexcept>
#include <string>

using wva_metrics::testing::detail::RegexMatcher;

TEST_CASE("a regex must match the whole text") {
    CHECK(RegexMatcher("ab").matches("ab"));
    CHECK_FALSE(RegexMatcher("ab").matches("xab"));
    CHECK_FALSE(RegexMatcher("a(b)").matches("abx"));
    CHECK(RegexMatcher("a|bc").matches("bc"));
    CHECK_FALSE(RegexMatcher("a|bc").matches("ac"));
    CHECK(RegexMatcher("pod-[0-9]+").matches("pod-17"));
    CHECK(RegexMatcher("").matches(""));
    CHECK(RegexMatcher("a||b").matches(""));
}

TEST_CASE("a dot matches everything except a line break") {
    CHECK(RegexMatcher(".*").matches(""));
    CHECK(RegexMatcher(".*").matches("any thing\t"));
    CHECK_FALSE(RegexMatcher(".*").matches("two\nlines"));
    CHECK_FALSE(RegexMatcher(".+").matches(""));
    CHECK_FALSE(RegexMatcher("a.b").matches("a\nb"));
}

TEST_CASE("a quoted text matches itself and nothing else") {
    std::mt19937 random(7);
    const std::string alphabet = "ab\\.+*?()|[]{}^$-/_\"' \n\x01~#&";
    for (int round = 0; round < 500; ++round) {
        std::string text;
        while (random() % 8 != 0)
            text += alphabet[random() % alphabet.size()];
        INFO(text);
        const auto quoted = wva_metrics::promql::quote_regex(text);
        REQUIRE(quoted.has_value());
        CHECK(RegexMatcher(*quoted).matches(text));
        CHECK_FALSE(RegexMatcher(*quoted).matches(text + "a"));
        CHECK(RegexMatcher("zz|" + *quoted + "|(zzz)").matches(text));
    }
}

TEST_CASE("a hundred thousand alternatives are supported") {
    std::string pattern;
    for (int i = 0; i < 100'000; ++i)
        pattern += "model/" + std::to_string(i) + "\\.x|";
    pattern += "last";
    const RegexMatcher regex(pattern);
    CHECK(regex.matches("model/77777.x"));
    CHECK_FALSE(regex.matches("model/77777zx"));
    CHECK(regex.matches("last"));
}

TEST_CASE("groups are expanded in a replacement") {
    const RegexMatcher regex("(.*)-([0-9]+)");
    CHECK(regex.replace("pod-7", "$2.$1") == "7.pod");
    CHECK(regex.replace("pod-7", "${2}x$$") == "7x$");
    CHECK(regex.replace("pod-7", "$0") == "pod-7");
    // `2x` is the name of a group that does not exist.
    CHECK(regex.replace("pod-7", "[$2x]") == "[]");
    CHECK(regex.replace("pod-7", "$3") == "");
    CHECK(regex.replace("pod-7", "$-${") == "$-${");
    CHECK_FALSE(regex.replace("pod", "$1").has_value());
    CHECK(RegexMatcher("").replace("", "constant") == "constant");
}

TEST_CASE("syntax that RE2 rejects or interprets differently is rejected") {
    for (const char* pattern :
         {"(", "(?i)a", "(?P<n>a)", "(?=a)", "(a)\\1", "\\Qa\\E", "\\pL", "[a", "\\x{41}"}) {
        INFO(pattern);
        CHECK_THROWS_AS(RegexMatcher(pattern), std::invalid_argument);
    }
}
