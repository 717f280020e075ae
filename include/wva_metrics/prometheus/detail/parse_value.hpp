// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/prometheus/detail/text_scanner.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <system_error>

namespace wva_metrics::prometheus::detail {

/// The exponent of a well-formed decimal number, 0 if none is written. Limited to 1e9 either way.
inline long long written_exponent(std::string_view number) noexcept {
    constexpr long long far = 1'000'000'000;
    const std::size_t e = number.find_first_of("eE");
    if (e == std::string_view::npos)
        return 0;
    std::string_view power = number.substr(e + 1);
    const bool is_negative = power.starts_with('-');
    if (is_negative || power.starts_with('+'))
        power.remove_prefix(1);
    long long exponent = 0;
    for (const char digit : power)
        exponent = std::min(far, exponent * 10 + (digit - '0'));
    return is_negative ? -exponent : exponent;
}

/// The power of ten of the first digit that is not 0. `number` must be a well-formed decimal
/// number.
inline long long decimal_exponent(std::string_view number) noexcept {
    const std::size_t e = std::min(number.find_first_of("eE"), number.size());
    const std::string_view mantissa = number.substr(0, e);
    const std::size_t point = std::min(mantissa.find('.'), mantissa.size());
    const std::size_t first = std::min(mantissa.find_first_of("123456789"), mantissa.size());
    const long long shift = first < point ? static_cast<long long>(point - first) - 1
                                          : -static_cast<long long>(first - point);
    return shift + written_exponent(number);
}

/// Up to 10^18.
inline constexpr std::array<std::int64_t, 19> powers_of_ten = [] {
    std::array<std::int64_t, 19> powers{1};
    for (std::size_t i = 1; i < powers.size(); ++i)
        powers[i] = powers[i - 1] * 10;
    return powers;
}();

#ifdef __SIZEOF_INT128__
inline constexpr std::size_t most_short_digits = 18;

/// The double next to `number / divisor`, which are both positive and have at most 19 digits.
inline double divide_exactly(std::uint64_t number, std::uint64_t divisor) noexcept {
    __extension__ using Wide = unsigned __int128;
    // The quotient as a whole number of 61 or 62 bits, times a power of two. Its last bit says
    // whether there is a rest, so that the conversion to a double, of 53 bits, rounds rightly.
    const int shift = 61 + std::countl_zero(number) - std::countl_zero(divisor);
    const Wide wide = static_cast<Wide>(number) << shift;
    const auto quotient = static_cast<std::uint64_t>(wide / divisor);
    const bool has_rest = static_cast<Wide>(quotient) * divisor != wide;
    const auto scale = std::bit_cast<double>(std::uint64_t(1023 - shift) << 52U);
    return static_cast<double>(static_cast<std::int64_t>(quotient | (has_rest ? 1U : 0U))) * scale;
}
#else
inline constexpr std::size_t most_short_digits = 15;
#endif

/// The double next to `number / 10^decimals`. Neither has more than `most_short_digits` digits.
inline double divide_by_power(std::int64_t number, std::size_t decimals) noexcept {
    const std::int64_t power = powers_of_ten[decimals];
#ifdef __SIZEOF_INT128__
    if (number > std::int64_t{1} << 53 && decimals > 0)
        return divide_exactly(static_cast<std::uint64_t>(number),
                              static_cast<std::uint64_t>(power));
#endif
    // A double can hold whole numbers up to 2^53, and powers of ten up to 10^22. So only one
    // operation rounds.
    return static_cast<double>(number) / static_cast<double>(power);
}

/// Parses `123` and `12.5`: at most `most_short_digits` digits, at least one before and after the
/// point. Empty for any other text.
inline std::optional<double> parse_short_decimal(std::string_view text) noexcept {
    TextScanner scanner(text);
    const Digits whole = scanner.take_digits();
    Digits decimals;
    if (scanner.take('.')) {
        decimals = scanner.take_digits();
        if (decimals.count == 0)
            return std::nullopt;
    }
    if (whole.count == 0 || scanner.left() > 0)
        return std::nullopt;
    // Zeros before the point do not count.
    if ((whole.number == 0 ? 0 : whole.count) + decimals.count > most_short_digits)
        return std::nullopt;
    return divide_by_power(whole.number * powers_of_ten[decimals.count] + decimals.number,
                           decimals.count);
}

/// Parses a sample's value, rounded to the nearest double. Empty if the text is not a number.
///
/// Accepts what Prometheus, compatible servers and Go's formatting write: decimal and scientific
/// notation, a sign, and NaN, Inf and Infinity in any case. A number too large for a double becomes
/// an infinity, one too small becomes 0. Independent of the locale.
inline std::optional<double> parse_value(std::string_view text) noexcept {
    if (const std::optional<double> value = parse_short_decimal(text))
        return value;
    const bool is_negative = text.starts_with('-');
    if (is_negative || text.starts_with('+'))
        text.remove_prefix(1);
    if (text.empty())
        return std::nullopt;

    double magnitude = 0;
    if ((text[0] >= '0' && text[0] <= '9') || text[0] == '.') {
        const char* const end = text.data() + text.size();
        const std::from_chars_result parsed = std::from_chars(text.data(), end, magnitude);
        if (parsed.ptr != end || parsed.ec == std::errc::invalid_argument)
            return std::nullopt;
        // `from_chars` does not set the value, and reports overflow and underflow alike.
        if (parsed.ec == std::errc::result_out_of_range)
            magnitude = decimal_exponent(text) > 0 ? std::numeric_limits<double>::infinity() : 0.0;
    } else {
        const auto is = [&](std::string_view name) {
            return std::equal(text.begin(), text.end(), name.begin(), name.end(),
                              [](char a, char b) { return (a | 0x20) == b; });
        };
        if (is("nan"))
            magnitude = std::numeric_limits<double>::quiet_NaN();
        else if (is("inf") || is("infinity"))
            magnitude = std::numeric_limits<double>::infinity();
        else
            return std::nullopt;
    }
    return is_negative ? -magnitude : magnitude;
}

} // namespace wva_metrics::prometheus::detail
