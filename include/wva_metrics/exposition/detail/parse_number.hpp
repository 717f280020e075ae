// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <system_error>

namespace wva_metrics::exposition::detail {

inline bool is_word(std::string_view text, std::string_view lower_case) noexcept {
    if (text.size() != lower_case.size())
        return false;
    for (std::size_t i = 0; i < text.size(); ++i)
        if ((text[i] | 0x20) != lower_case[i])
            return false;
    return true;
}

/// True if the magnitude of a well-formed decimal number, which is no zero, is less than 1.
inline bool is_below_one(std::string_view number) noexcept {
    const std::size_t e = std::min(number.find_first_of("eE"), number.size());
    const std::size_t point = std::min(number.find('.'), e);
    const std::size_t first = number.find_first_of("123456789");
    // The power of ten of the first digit that is not 0.
    auto power = static_cast<long long>(point) - static_cast<long long>(first);
    power -= first < point ? 1 : 0;
    long long exponent = 0;
    for (std::size_t i = e + 1; i < number.size(); ++i)
        if (number[i] >= '0' && number[i] <= '9' && exponent < 1'000'000'000)
            exponent = exponent * 10 + (number[i] - '0');
    return power + (e + 1 < number.size() && number[e + 1] == '-' ? -exponent : exponent) < 0;
}

/// The value of a number that a page writes: decimal, with an exponent or without one, or NaN, Inf
/// or Infinity in any case. A number too large for a double becomes an infinity, which is no usable
/// value, and one too small becomes 0. Prometheus refuses the whole page for one number that is too
/// large. Nothing for another text: no format has hexadecimal digits or underscores.
inline std::optional<double> parse_number(std::string_view text) noexcept {
    const char* at = text.data();
    const char* const end = at + text.size();
    const bool is_negative = at != end && *at == '-';
    if (is_negative || (at != end && *at == '+'))
        ++at;

    // Most values are whole numbers or short decimals: both parts are exact in a double, and so one
    // division rounds correctly.
    constexpr std::array<double, 16> powers{1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                            1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    const char* const digits = at;
    std::int64_t number = 0;
    for (; at != end && *at >= '0' && *at <= '9' && at - digits < 16; ++at)
        number = number * 10 + (*at - '0');
    std::ptrdiff_t count = at - digits;
    std::size_t decimals = 0;
    if (at != end && *at == '.') {
        for (++at; at != end && *at >= '0' && *at <= '9' && count < 16; ++at, ++count, ++decimals)
            number = number * 10 + (*at - '0');
    }
    if (at == end && count > 0 && count <= 15) {
        const double magnitude = static_cast<double>(number) / powers[decimals];
        return is_negative ? -magnitude : magnitude;
    }

    double magnitude = 0;
    const std::string_view rest(digits, static_cast<std::size_t>(end - digits));
    if (rest.empty())
        return std::nullopt;
    if ((rest[0] >= '0' && rest[0] <= '9') || rest[0] == '.') {
        const std::from_chars_result parsed = std::from_chars(digits, end, magnitude);
        if (parsed.ptr != end || parsed.ec == std::errc::invalid_argument)
            return std::nullopt;
        // `from_chars` sets no value then, and reports overflow and underflow alike.
        if (parsed.ec == std::errc::result_out_of_range)
            magnitude = is_below_one(rest) ? 0.0 : std::numeric_limits<double>::infinity();
    } else if (is_word(rest, "nan")) {
        magnitude = std::numeric_limits<double>::quiet_NaN();
    } else if (is_word(rest, "inf") || is_word(rest, "infinity")) {
        magnitude = std::numeric_limits<double>::infinity();
    } else {
        return std::nullopt;
    }
    return is_negative ? -magnitude : magnitude;
}

/// A time of Prometheus' text formats: whole milliseconds since 1970.
inline std::optional<std::int64_t> parse_milliseconds(std::string_view text) noexcept {
    if (text.starts_with('+') && !text.starts_with("+-"))
        text.remove_prefix(1);
    std::int64_t time = 0;
    const char* const end = text.data() + text.size();
    const std::from_chars_result parsed = std::from_chars(text.data(), end, time);
    return parsed.ptr == end && parsed.ec == std::errc() ? std::optional(time) : std::nullopt;
}

/// A time of OpenMetrics: seconds since 1970, with decimals or without. Rounded to milliseconds.
/// OpenMetrics allows any number: one that no clock ever shows becomes the nearest of ±9e15 ms.
inline std::optional<std::int64_t> parse_seconds(std::string_view text) noexcept {
    const std::optional<double> seconds = parse_number(text);
    if (!seconds || !std::isfinite(*seconds))
        return std::nullopt;
    constexpr double far = 9e15;
    return std::llround(std::clamp(*seconds * 1000, -far, far));
}

} // namespace wva_metrics::exposition::detail
