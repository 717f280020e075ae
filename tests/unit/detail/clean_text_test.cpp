// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/detail/clean_text.hpp"

#include <catch2/catch_all.hpp>

#include <string>
#include <string_view>

using namespace wva_metrics::detail;

TEST_CASE("clean text is one line without control characters") {
    CHECK(clean_text("", 10).empty());
    CHECK(clean_text("plain text", 10) == "plain text");
    CHECK(clean_text("a\r\nb\tc\x1b[31m\x7f" + std::string(1, '\0') + "d", 40) == "a  b c [31m  d");
    CHECK(clean_text("\u0085x\u009f\u00a0", 40) == "  x  \u00a0");
    CHECK(clean_text("a\u202egpj.b\u2069\u200fc\u061cd\u2028e", 40) == "a   gpj.b      c  d   e");
    CHECK(clean_text("\u200d\u2027\u202f\u2065\u206a\u061b", 40) ==
          "\u200d\u2027\u202f\u2065\u206a\u061b");
    CHECK(clean_text("\xff"
                     "a\xc3",
                     40) == "?a?");
    CHECK(clean_text("\xed\xa0\x80", 40) == "???");
}

TEST_CASE("text that is too long is cut between two characters and ends with an ellipsis") {
    CHECK(clean_text("abcdefgh", 7) == "abcd...");
    CHECK(clean_text("ab\u20ac\u20ac", 7) == "ab...");
    CHECK(clean_text("abc", 2).size() <= 3);
    CHECK(cut_text("a\u20acb", 3) == "a");
    CHECK(cut_text("a\u20acb", 4) == "a\u20ac");
    CHECK(cut_text("\x80\x80\x80", 2).empty());
}

TEST_CASE("a part is found in any case of letters") {
    CHECK(contains_ignoring_case("The Query Hit", "query hit"));
    CHECK(contains_ignoring_case("x", ""));
    CHECK_FALSE(contains_ignoring_case("quer", "query"));
}

TEST_CASE("names of any length are equal if all bytes are equal") {
    std::string name;
    for (std::size_t length = 0; length < 40; ++length) {
        const std::string same = name;
        CHECK(is_same_name(name, same));
        CHECK_FALSE(is_same_name(name, same + '\0'));
        for (std::size_t at = 0; at < length; ++at) {
            std::string other = name;
            other[at] = static_cast<char>(other[at] + 1);
            INFO(name << " and " << other);
            CHECK_FALSE(is_same_name(name, other));
        }
        name += static_cast<char>('a' + length % 26);
    }
}
