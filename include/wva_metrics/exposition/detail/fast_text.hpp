// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/exposition/detail/characters.hpp"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace wva_metrics::exposition::detail {

/// The next line feed, or `end`. Lines are short: a call of `memchr` for each would take longer.
inline const char* find_line_feed(const char* at, const char* end) noexcept {
#ifdef __SSE2__
    const __m128i wanted = _mm_set1_epi8('\n');
    const auto found_at = [&](const char* where) {
        const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(where));
        return static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, wanted)));
    };
    for (auto blocks = (end - at) / 32; blocks > 0; --blocks, at += 32)
        if (const unsigned found = found_at(at) | found_at(at + 16) << 16U)
            return at + std::countr_zero(found);
#endif
    if (at == end)
        return end;
    const void* const found = std::memchr(at, '\n', static_cast<std::size_t>(end - at));
    return found == nullptr ? end : static_cast<const char*>(found);
}

/// The first character that does not continue a metric's name, or `end`.
inline const char* find_end_of_name(const char* at, const char* end) noexcept {
#ifdef __SSE2__
    const auto is_between = [](__m128i bytes, char first, char last) {
        const __m128i distance = _mm_sub_epi8(bytes, _mm_set1_epi8(first));
        const __m128i most = _mm_set1_epi8(static_cast<char>(last - first));
        return _mm_cmpeq_epi8(_mm_min_epu8(distance, most), distance);
    };
    for (; end - at >= 16; at += 16) {
        const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
        const __m128i lower_case = _mm_or_si128(bytes, _mm_set1_epi8(0x20));
        const __m128i digit_or_colon = is_between(bytes, '0', ':');
        const __m128i is_part =
            _mm_or_si128(_mm_or_si128(is_between(lower_case, 'a', 'z'), digit_or_colon),
                         _mm_cmpeq_epi8(bytes, _mm_set1_epi8('_')));
        const auto parts = static_cast<unsigned>(_mm_movemask_epi8(is_part));
        if (parts != 0xffffU)
            return at + std::countr_one(parts);
    }
#endif
    while (at != end && is_kind(*at, name_part))
        ++at;
    return at;
}

/// The next double quote or backslash, or `end`. Clears `is_ascii` if another byte before it is not.
inline const char* find_quote_or_backslash(const char* at, const char* end,
                                           bool& is_ascii) noexcept {
    constexpr std::uint64_t ones = 0x0101010101010101U;
    constexpr std::uint64_t tops = ones * 0x80U;
    std::uint64_t seen = 0;
    // Eight characters at a time. "Determine if a word has a zero byte": Sean Eron Anderson, Bit
    // Twiddling Hacks. It may be wrong only above the first such byte.
    while (end - at >= 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, at, sizeof word);
        const std::uint64_t quote = word ^ (ones * '"');
        const std::uint64_t slash = word ^ (ones * '\\');
        const std::uint64_t found = (((quote - ones) & ~quote) | ((slash - ones) & ~slash)) & tops;
        if (found != 0) {
            if constexpr (std::endian::native == std::endian::little) {
                const int before = std::countr_zero(found) / 8;
                seen |= word & ((std::uint64_t{1} << (before * 8)) - 1);
                at += before;
            }
            break;
        }
        seen |= word;
        at += 8;
    }
    for (; at != end && *at != '"' && *at != '\\'; ++at)
        seen |= static_cast<unsigned char>(*at);
    is_ascii = is_ascii && (seen & tops) == 0;
    return at;
}

/// Does the text begin with this name? Faster than `memcmp` for names.
inline bool begins_with(std::string_view text, std::string_view name) noexcept {
    const std::size_t size = name.size();
    if (text.size() < size)
        return false;
    const auto differ_at = [&]<typename Word>(std::size_t at, Word) {
        Word a = 0;
        Word b = 0;
        std::memcpy(&a, text.data() + at, sizeof a);
        std::memcpy(&b, name.data() + at, sizeof b);
        return a ^ b;
    };
    if (size >= 8) {
        std::uint64_t different =
            differ_at(0, std::uint64_t()) | differ_at(size - 8, std::uint64_t());
        if (size > 16)
            different |= differ_at(8, std::uint64_t()) | differ_at(size - 16, std::uint64_t());
        for (std::size_t at = 16; at + 16 < size; at += 8)
            different |= differ_at(at, std::uint64_t());
        return different == 0;
    }
    if (size >= 4)
        return (differ_at(0, std::uint32_t()) | differ_at(size - 4, std::uint32_t())) == 0;
    for (std::size_t at = 0; at < size; ++at)
        if (text[at] != name[at])
            return false;
    return true;
}

/// The number of characters with which both texts begin.
inline std::size_t shared_prefix(std::string_view a, std::string_view b) noexcept {
    const std::size_t size = std::min(a.size(), b.size());
    std::size_t at = 0;
    if constexpr (std::endian::native == std::endian::little)
        for (; size - at >= 8; at += 8) {
            std::uint64_t of_a = 0;
            std::uint64_t of_b = 0;
            std::memcpy(&of_a, a.data() + at, sizeof of_a);
            std::memcpy(&of_b, b.data() + at, sizeof of_b);
            if (of_a != of_b)
                return at + static_cast<std::size_t>(std::countr_zero(of_a ^ of_b)) / 8;
        }
    while (at < size && a[at] == b[at])
        ++at;
    return at;
}

} // namespace wva_metrics::exposition::detail
