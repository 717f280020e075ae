// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace wva_metrics::prometheus::detail {

/// True for a character that can stand in a JSON string and means itself there: printable ASCII
/// except quotes and backslashes.
constexpr bool is_plain(char c) noexcept {
    return c >= ' ' && c < '\x7F' && c != '"' && c != '\\';
}

inline std::uint64_t word_at(const char* text) noexcept {
    std::uint64_t word = 0;
    std::memcpy(&word, text, sizeof word);
    return word;
}

/// How many bytes at the beginning of these words are the same, 8 if all are.
inline std::size_t same_bytes(std::uint64_t one, std::uint64_t other) noexcept {
    const std::uint64_t difference = one ^ other;
    const int bits = std::endian::native == std::endian::little ? std::countr_zero(difference)
                                                                : std::countl_zero(difference);
    return static_cast<std::size_t>(bits) / 8;
}

/// How many of these 8 characters are plain, up to the first that is not.
inline std::size_t plain_bytes(const char* text) noexcept {
    constexpr std::uint64_t ones = 0x0101010101010101U;
    constexpr std::uint64_t tops = ones * 0x80U;
    std::uint64_t word = word_at(text);
    // The lowest byte must be the first, because what is found above the first may be wrong.
    if constexpr (std::endian::native == std::endian::big)
        word = __builtin_bswap64(word);
    // "Determine if a word has a zero byte", and "a byte less than n": Sean Eron Anderson, Bit
    // Twiddling Hacks.
    const auto has = [word](char c) {
        const std::uint64_t zero = word ^ (ones * static_cast<unsigned char>(c));
        return (zero - ones) & ~zero;
    };
    const std::uint64_t is_control = (word - ones * 0x20U) & ~word;
    const std::uint64_t found = (has('"') | has('\\') | has('\x7F') | is_control | word) & tops;
    return static_cast<std::size_t>(std::countr_zero(found)) / 8;
}

/// Are all of these 8 characters digits?
inline bool are_digits(const char* text) noexcept {
    const std::uint64_t word = word_at(text);
    constexpr std::uint64_t high_halves = 0xf0f0f0f0f0f0f0f0U;
    constexpr std::uint64_t of_digits = 0x3030303030303030U;
    // Adding 6 carries into the high half of a byte above '9'.
    return (word & high_halves) == of_digits &&
           ((word + 0x0606060606060606U) & high_halves) == of_digits;
}

/// The number that these 8 digits write. Adds neighbours in pairs: 2, 4, then all 8 digits.
inline std::int64_t number_of_digits(const char* text) noexcept {
    std::int64_t number = 0;
    if constexpr (std::endian::native == std::endian::little) {
        std::uint64_t word = word_at(text);
        word &= 0x0f0f0f0f0f0f0f0fU;
        word = (word * 2561) >> 8U;
        word = ((word & 0x00ff00ff00ff00ffU) * 6553601) >> 16U;
        word = ((word & 0x0000ffff0000ffffU) * 42949672960001) >> 32U;
        number = static_cast<std::int64_t>(word);
    } else {
        for (int i = 0; i < 8; ++i)
            number = number * 10 + (text[i] - '0');
    }
    return number;
}

/// Digits that have been read.
struct Digits {
    std::int64_t number = 0; ///< What they write.
    std::size_t count = 0;
};

/// Reads expected text from the beginning of a text.
class TextScanner {
public:
    explicit TextScanner(std::string_view text) noexcept
        : begin_(text.data()), at_(begin_), end_(begin_ + text.size()) {}

    /// Bytes that have been read.
    std::size_t position() const noexcept { return static_cast<std::size_t>(at_ - begin_); }
    const char* at() const noexcept { return at_; }
    /// Bytes that have not been read.
    std::size_t left() const noexcept { return static_cast<std::size_t>(end_ - at_); }

    // Each returns false, or nothing, if the text does not continue so. It is not used then.

    bool starts_with(char c) const noexcept { return at_ != end_ && *at_ == c; }
    bool take(char c) noexcept {
        if (!starts_with(c))
            return false;
        ++at_;
        return true;
    }
    bool take(std::string_view text) noexcept {
        if (left() < text.size() || std::memcmp(at_, text.data(), text.size()) != 0)
            return false;
        at_ += text.size();
        return true;
    }
    /// How many bytes are the same as those at the beginning of another text.
    std::size_t count_same(std::string_view text) const noexcept {
        const std::size_t most = std::min(text.size(), left());
        std::size_t count = 0;
#ifdef __SSE2__
        const auto bytes_at = [](const char* from) {
            return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
        };
        for (; most - count >= 16; count += 16) {
            const __m128i are_same =
                _mm_cmpeq_epi8(bytes_at(at_ + count), bytes_at(text.data() + count));
            const auto same = static_cast<unsigned>(_mm_movemask_epi8(are_same));
            if (same != 0xffffU)
                return count + static_cast<std::size_t>(std::countr_one(same));
        }
#endif
        for (; most - count >= 8; count += 8)
            if (const std::size_t same = same_bytes(word_at(at_ + count), word_at(&text[count]));
                same < 8)
                return count + same;
        while (count < most && at_[count] == text[count])
            ++count;
        return count;
    }
    /// Passes over bytes that are known. There must be as many.
    void skip(std::size_t bytes) noexcept {
        at_ += bytes;
    }

    /// Reads the digits that follow, but not more than 18.
    Digits take_digits() noexcept {
        constexpr std::size_t most = 18;
        Digits digits;
        for (; left() >= 8 && digits.count + 8 <= most && are_digits(at_); at_ += 8)
            digits = {digits.number * 100'000'000 + number_of_digits(at_), digits.count + 8};
        for (; at_ != end_ && *at_ >= '0' && *at_ <= '9' && digits.count < most; ++at_)
            digits = {digits.number * 10 + (*at_ - '0'), digits.count + 1};
        return digits;
    }
    /// The rest of a string up to its closing quote, which is read too. Empty if it contains
    /// characters that are not plain.
    std::optional<std::string_view> take_string() noexcept {
        const char* const first = at_;
        std::size_t plain = 8;
        while (plain == 8 && left() >= 8)
            at_ += plain = plain_bytes(at_);
        while (plain == 8 && at_ != end_ && is_plain(*at_))
            ++at_;
        const std::string_view text(first, static_cast<std::size_t>(at_ - first));
        return take('"') ? std::optional(text) : std::nullopt;
    }

private:
    const char* begin_;
    const char* at_;
    const char* end_;
};

} // namespace wva_metrics::prometheus::detail
