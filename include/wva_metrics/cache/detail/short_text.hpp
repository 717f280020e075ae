// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/config.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

/// Hashing and comparing texts of a few dozen bytes, which is most of the cost of a hit. Both read
/// whole words, the last one overlapping its predecessor, so that no byte is handled on its own and
/// no C library function is called.
namespace wva_metrics::detail {

template <typename Word>
std::uint64_t load_word(const char* from) noexcept {
    Word word;
    std::memcpy(&word, from, sizeof(Word));
    return word;
}

/// The full 128-bit product of two words, both halves combined by XOR.
inline std::uint64_t multiply_and_fold(std::uint64_t a, std::uint64_t b) noexcept {
#ifdef __SIZEOF_INT128__
    __extension__ using Wide = unsigned __int128;
    const Wide product = static_cast<Wide>(a) * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
#else
    const std::uint64_t a_low = a & 0xffffffffU;
    const std::uint64_t b_low = b & 0xffffffffU;
    const std::uint64_t cross_a = (a >> 32) * b_low;
    const std::uint64_t cross_b = a_low * (b >> 32);
    const std::uint64_t low = a_low * b_low;
    const std::uint64_t middle = (low >> 32) + (cross_a & 0xffffffffU) + (cross_b & 0xffffffffU);
    const std::uint64_t high =
        (a >> 32) * (b >> 32) + (cross_a >> 32) + (cross_b >> 32) + (middle >> 32);
    return a * b ^ high;
#endif
}

/// Mixes a text into a hash: every bit of the result depends on every byte of the text and on the
/// seed. The algorithm follows Wang Yi's wyhash (public domain), which is among the fastest for
/// short texts.
///
/// The seed must be a number without a pattern, such as another hash. (With a small seed, all texts
/// of some sizes would have the same hash, because one of the factors is 0.) Not resistant to texts
/// that an attacker chooses.
BOOST_FORCEINLINE std::uint64_t hash_text(std::uint64_t seed, std::string_view text) noexcept {
    // A number without a pattern: the fractional bits of the golden ratio.
    constexpr std::uint64_t golden = 0x9e3779b97f4a7c15U;
    const char* const from = text.data();
    const std::size_t size = text.size();
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    if (size > 16) {
        std::size_t offset = 0;
        do {
            seed = multiply_and_fold(load_word<std::uint64_t>(from + offset) ^ golden,
                                     load_word<std::uint64_t>(from + offset + 8) ^ seed);
            offset += 16;
        } while (offset + 16 < size);
        first = load_word<std::uint64_t>(from + size - 16);
        last = load_word<std::uint64_t>(from + size - 8);
    } else if (size >= 8) {
        first = load_word<std::uint64_t>(from);
        last = load_word<std::uint64_t>(from + size - 8);
    } else if (size >= 4) {
        first = load_word<std::uint32_t>(from);
        last = load_word<std::uint32_t>(from + size - 4);
    } else if (size > 0) {
        first = load_word<std::uint8_t>(from) << 16 |
                load_word<std::uint8_t>(from + size / 2) << 8 |
                load_word<std::uint8_t>(from + size - 1);
    }
    return multiply_and_fold(first ^ golden, last ^ seed ^ size);
}

/// True if the first and the last word of two texts of this size are equal.
template <typename Word>
bool equal_ends(const char* a, const char* b, std::size_t size) noexcept {
    const std::size_t last = size - sizeof(Word);
    return ((load_word<Word>(a) ^ load_word<Word>(b)) |
            (load_word<Word>(a + last) ^ load_word<Word>(b + last))) == 0;
}

/// True if two texts of the same size are equal.
inline bool equal_text(const char* a, const char* b, std::size_t size) noexcept {
    if (size > 16) {
        std::size_t offset = 0;
        do {
            if (!equal_ends<std::uint64_t>(a + offset, b + offset, 16))
                return false;
            offset += 16;
        } while (offset + 16 < size);
        return equal_ends<std::uint64_t>(a + size - 16, b + size - 16, 16);
    }
    if (size >= 8)
        return equal_ends<std::uint64_t>(a, b, size);
    if (size >= 4)
        return equal_ends<std::uint32_t>(a, b, size);
    for (std::size_t offset = 0; offset < size; ++offset)
        if (a[offset] != b[offset])
            return false;
    return true;
}
inline bool equal_text(std::string_view a, std::string_view b) noexcept {
    return a.size() == b.size() && equal_text(a.data(), b.data(), a.size());
}

} // namespace wva_metrics::detail
