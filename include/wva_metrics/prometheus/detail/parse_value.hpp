// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
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

/// Parses `123` and `12.5`: at most 15 digits, at least one before and after the point. Empty for
/// any other text. Exact, because such a number is the quotient of two whole numbers that a double
/// can hold, and a division is rounded once.
inline std::optional<double> parse_short_decimal(std::string_view text) noexcept {
    constexpr std::array<double, 15> powers{1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6, 1e7,
                                            1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14};
    if (text.empty() || text.size() > powers.size() + 1)
        return std::nullopt;
    std::int64_t digits = 0;
    std::size_t point = text.size() - 1; // As if it stood behind the last digit.
    bool has_point = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c >= '0' && c <= '9') {
            digits = digits * 10 + (c - '0');
        } else if (c == '.' && !has_point && i > 0 && i + 1 < text.size()) {
            has_point = true;
            point = i;
        } else {
            return std::nullopt;
        }
    }
    if (!has_point && text.size() > powers.size())
        return std::nullopt;
    return static_cast<double>(digits) / powers[text.size() - 1 - point];
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
