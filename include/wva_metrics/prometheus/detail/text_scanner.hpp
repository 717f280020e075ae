// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

namespace wva_metrics::prometheus::detail {

/// True for a character that can stand in a JSON string and means itself there: printable ASCII
/// except quotes and backslashes.
constexpr bool is_plain(char c) noexcept {
    return c >= ' ' && c < '\x7F' && c != '"' && c != '\\';
}

/// Are all of these 8 characters plain? False also for some that are.
inline bool are_plain(const char* text) noexcept {
    constexpr std::uint64_t ones = 0x0101010101010101U;
    constexpr std::uint64_t tops = ones * 0x80U;
    std::uint64_t word = 0;
    std::memcpy(&word, text, sizeof word);
    // "Determine if a word has a zero byte", and "a byte less than n": Sean Eron Anderson, Bit
    // Twiddling Hacks.
    const auto has = [word](char c) {
        const std::uint64_t zero = word ^ (ones * static_cast<unsigned char>(c));
        return (zero - ones) & ~zero;
    };
    const std::uint64_t is_control = (word - ones * 0x20U) & ~word;
    return ((has('"') | has('\\') | has('\x7F') | is_control | word) & tops) == 0;
}

/// Are all of these 8 characters digits?
inline bool are_digits(const char* text) noexcept {
    std::uint64_t word = 0;
    std::memcpy(&word, text, sizeof word);
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
        std::uint64_t word = 0;
        std::memcpy(&word, text, sizeof word);
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

    // Each returns false, or nothing, if the text does not continue so. It is not used then.

    bool starts_with(char c) const noexcept { return at_ != end_ && *at_ == c; }
    bool take(char c) noexcept {
        if (!starts_with(c))
            return false;
        ++at_;
        return true;
    }
    bool take(std::string_view text) noexcept {
        if (static_cast<std::size_t>(end_ - at_) < text.size() ||
            std::memcmp(at_, text.data(), text.size()) != 0)
            return false;
        at_ += text.size();
        return true;
    }
    /// Reads the digits that follow, but not more than 18.
    Digits take_digits() noexcept {
        constexpr std::size_t most = 18;
        Digits digits;
        if (end_ - at_ >= 8 && are_digits(at_)) {
            digits = {number_of_digits(at_), 8};
            at_ += 8;
        }
        for (; at_ != end_ && *at_ >= '0' && *at_ <= '9' && digits.count < most; ++at_)
            digits = {digits.number * 10 + (*at_ - '0'), digits.count + 1};
        return digits;
    }
    /// The rest of a string up to its closing quote, which is read too. Empty if it contains
    /// characters that are not plain.
    std::optional<std::string_view> take_string() noexcept {
        const char* const first = at_;
        while (end_ - at_ >= 8 && are_plain(at_))
            at_ += 8;
        while (at_ != end_ && is_plain(*at_))
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
