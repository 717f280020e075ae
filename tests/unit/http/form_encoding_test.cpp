// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/http/form_encoding.hpp"

#include <catch2/catch_all.hpp>

#include <random>
#include <string>
#include <string_view>

using namespace wva_metrics::http;

namespace {

std::string encoded(std::string_view bytes) {
    std::string out;
    append_form_encoded(out, bytes);
    return out;
}

/// Decodes as a server does.
std::string decoded(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%') {
            out += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
            i += 2;
        } else {
            out += text[i] == '+' ? ' ' : text[i];
        }
    }
    return out;
}

} // namespace

TEST_CASE(
    "letters, digits and -_.~ are unchanged, a space becomes +, and all else is percent-encoded") {
    CHECK(encoded("").empty());
    CHECK(encoded("azAZ09-_.~") == "azAZ09-_.~");
    CHECK(encoded("a b") == "a+b");
    CHECK(encoded("a+b&c=d%e") == "a%2Bb%26c%3Dd%25e");
    CHECK(encoded("rate(x{a=~\"b|c\"}[60s])") == "rate%28x%7Ba%3D~%22b%7Cc%22%7D%5B60s%5D%29");
    CHECK(encoded("\r\n\t") == "%0D%0A%09");
    CHECK(encoded(std::string_view("\0\x7f", 2)) == "%00%7F");
    CHECK(encoded("\u00e9\u20ac") == "%C3%A9%E2%82%AC");
}

TEST_CASE("fields are joined in their order, and empty values are kept") {
    CHECK(form_encode({}).empty());
    CHECK(form_encode({{"query", "up"}, {"timeout", "5s"}, {"dedup", ""}}) ==
          "query=up&timeout=5s&dedup=");
    CHECK(form_encode({{"a&b", "c=d"}, {"a&b", " "}}) == "a%26b=c%3Dd&a%26b=+");
}

TEST_CASE("any bytes can be decoded again, and no byte ends the field") {
    std::mt19937 random(11);
    for (int round = 0; round < 2000; ++round) {
        std::string bytes(random() % 40, '\0');
        for (char& byte : bytes)
            byte = static_cast<char>(random() % 256);
        const std::string text = encoded(bytes);
        REQUIRE(decoded(text) == bytes);
        REQUIRE(text.find_first_of("&=#? \r\n\"") == std::string::npos);
    }
}
