// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/cache/detail/short_text.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

using wva_metrics::detail::equal_text;
using wva_metrics::detail::hash_text;

namespace {

constexpr std::uint64_t seed = 0xe7037ed1a0b428dbU;

/// In memory of exactly its size, so that the sanitizers detect reads beyond its end.
std::vector<char> random_text(std::mt19937& random, std::size_t size) {
    std::vector<char> text(size);
    for (char& c : text)
        c = static_cast<char>(random());
    text.shrink_to_fit();
    return text;
}
std::string_view view(const std::vector<char>& text) {
    return {text.data(), text.size()};
}

} // namespace

TEST_CASE("texts are equal if all their bytes are, whatever their size") {
    std::mt19937 random(11);
    for (std::size_t size = 0; size <= 70; ++size) {
        const std::vector<char> text = random_text(random, size);
        std::vector<char> other = text;
        REQUIRE(equal_text(view(text), view(other)));
        for (char& c : other) {
            const char before = c;
            c = static_cast<char>(c ^ (1 << random() % 8));
            REQUIRE_FALSE(equal_text(view(text), view(other)));
            c = before;
        }
        other.push_back('x');
        REQUIRE_FALSE(equal_text(view(text), view(other)));
        REQUIRE_FALSE(equal_text(view(other), view(text)));
    }
}

TEST_CASE("every byte of a text, its size and the seed change its hash") {
    std::mt19937 random(12);
    for (std::size_t size = 0; size <= 70; ++size) {
        std::vector<char> text = random_text(random, size);
        std::unordered_set<std::uint64_t> hashes;
        for (const std::uint64_t other_seed : {seed, 2 * seed, 3 * seed})
            hashes.insert(hash_text(other_seed, view(text)));
        std::size_t texts = 3;
        for (char& c : text)
            for (int bit = 0; bit < 8; ++bit) {
                c = static_cast<char>(c ^ (1 << bit));
                hashes.insert(hash_text(seed, view(text)));
                c = static_cast<char>(c ^ (1 << bit));
                ++texts;
            }
        text.push_back('\0');
        hashes.insert(hash_text(seed, view(text)));
        CAPTURE(size);
        CHECK(hashes.size() == texts + 1);
    }
}

TEST_CASE("a change of one bit changes about half of the bits of the hash") {
    std::mt19937 random(13);
    for (const std::size_t size : {1U, 2U, 3U, 4U, 7U, 8U, 15U, 16U, 17U, 32U, 33U, 64U}) {
        std::array<int, 64> flips{};
        for (std::uint64_t round = 0; round < 500; ++round) {
            std::vector<char> text = random_text(random, size);
            const std::uint64_t before = hash_text(seed * (round % 3 + 1), view(text));
            char& c = text[random() % size];
            c = static_cast<char>(c ^ (1 << random() % 8));
            std::uint64_t changed = before ^ hash_text(seed * (round % 3 + 1), view(text));
            for (; changed != 0; changed &= changed - 1)
                ++flips[static_cast<std::size_t>(std::countr_zero(changed))];
        }
        const auto [least, most] = std::minmax_element(flips.begin(), flips.end());
        CAPTURE(size, *least, *most);
        // 500 coin tosses have a mean of 250 and a standard deviation of 11.
        CHECK(*least > 250 - 100);
        CHECK(*most < 250 + 100);
    }
}
