// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/detail/utf8.hpp"

#include <catch2/catch_all.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

using namespace std::string_literals;
using wva_metrics::detail::find_invalid_utf8;
using wva_metrics::detail::is_valid_utf8;

namespace {

/// By the definition's bit patterns, without regard for what code points are allowed.
std::string encode(std::uint32_t code_point, std::size_t length) {
    const auto tail = [](std::uint32_t bits) { return static_cast<char>(0x80U | (bits & 0x3FU)); };
    switch (length) {
    case 1:
        return {static_cast<char>(code_point)};
    case 2:
        return {static_cast<char>(0xC0U | (code_point >> 6U)), tail(code_point)};
    case 3:
        return {static_cast<char>(0xE0U | (code_point >> 12U)), tail(code_point >> 6U),
                tail(code_point)};
    default:
        return {static_cast<char>(0xF0U | (code_point >> 18U)), tail(code_point >> 12U),
                tail(code_point >> 6U), tail(code_point)};
    }
}

std::size_t shortest_length(std::uint32_t code_point) {
    return code_point < 0x80 ? 1 : code_point < 0x800 ? 2 : code_point < 0x10000 ? 3 : 4;
}

} // namespace

TEST_CASE("every code point except the surrogates is valid UTF-8, only in its shortest form") {
    for (std::uint32_t code_point = 0; code_point < 0x11'0000; ++code_point) {
        const bool is_surrogate = code_point >= 0xD800 && code_point <= 0xDFFF;
        const std::size_t shortest = shortest_length(code_point);
        if (is_valid_utf8(encode(code_point, shortest)) == is_surrogate)
            FAIL("code point " << code_point);
        for (std::size_t length = shortest + 1; length <= 4; ++length) {
            if (is_valid_utf8(encode(code_point, length)))
                FAIL("code point " << code_point << " in " << length << " bytes");
        }
    }
    CHECK_FALSE(is_valid_utf8(encode(0x11'0000, 4)));
    CHECK_FALSE(is_valid_utf8(encode(0x1F'FFFF, 4)));
}

TEST_CASE("the offset of invalid UTF-8 is that of the first byte of the sequence") {
    CHECK(find_invalid_utf8("") == std::nullopt);
    CHECK(find_invalid_utf8("a\0b"s) == std::nullopt);
    CHECK(find_invalid_utf8("caf\xC3\xA9") == std::nullopt);
    CHECK(find_invalid_utf8("\xFF") == 0U);
    CHECK(find_invalid_utf8("abc\x80") == 3U);
    CHECK(find_invalid_utf8("\xC3\xA9\xC3\xA9\xFE") == 4U);
    CHECK(find_invalid_utf8("\xC3\xA9\xC3(") == 2U);
    CHECK(find_invalid_utf8("ab\xE2\x82(") == 2U);
    CHECK(find_invalid_utf8("\xF8\x88\x80\x80\x80") == 0U);
}

TEST_CASE("a truncated sequence of any length is invalid") {
    for (const std::string& whole : {"\xC3\xA9"s, "\xE2\x82\xAC"s, "\xF0\x9F\x98\x80"s}) {
        REQUIRE(is_valid_utf8(whole));
        for (std::size_t length = 1; length < whole.size(); ++length)
            CHECK(find_invalid_utf8("x" + whole.substr(0, length)) == 1U);
    }
}
