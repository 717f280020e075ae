// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/prometheus/detail/parse_value.hpp"
#include "wva_metrics/samples/sample.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace wva_metrics::prometheus::detail {

/// 1e12 seconds: times must be earlier.
inline constexpr std::int64_t end_of_time_ms = 1'000'000'000'000'000;

/// Parses `1700000000` and `1700000000.123`, as Prometheus writes times: at most 12 digits before
/// the point and 3 after it. Empty for any other number.
inline std::optional<samples::ServerTime> parse_usual_time(std::string_view number) noexcept {
    constexpr std::size_t most_digits = 15;
    constexpr int usual_decimals = 3;
    std::int64_t ms = 0;
    int decimals = -1; // No point yet.
    if (number.size() > most_digits + 1)
        return std::nullopt;
    for (const char c : number) {
        if (c == '.') {
            decimals = 0;
        } else if (c >= '0' && c <= '9') {
            ms = ms * 10 + (c - '0');
            decimals += decimals < 0 ? 0 : 1;
        } else {
            return std::nullopt;
        }
    }
    if (decimals > usual_decimals || (decimals < 0 && number.size() > most_digits - usual_decimals))
        return std::nullopt;
    for (decimals = std::max(decimals, 0); decimals < usual_decimals; ++decimals)
        ms *= 10;
    if (ms >= end_of_time_ms)
        return std::nullopt;
    return samples::ServerTime(std::chrono::milliseconds(ms));
}

/// Parses a time in Unix seconds, from 0 to 1e12, and rounds it to the nearest millisecond; half a
/// millisecond is rounded up. Exact: no double is involved. Empty if the time is out of range.
/// `number` must be a well-formed JSON number, scientific notation included.
inline std::optional<samples::ServerTime> parse_time(std::string_view number) noexcept {
    if (const std::optional<samples::ServerTime> usual = parse_usual_time(number))
        return usual;
    const bool is_negative = number.starts_with('-');
    if (is_negative)
        number.remove_prefix(1);
    const std::string_view mantissa =
        number.substr(0, std::min(number.find_first_of("eE"), number.size()));
    const std::size_t whole_digits = std::min(mantissa.find('.'), mantissa.size());
    // The power of ten of the next digit, in milliseconds.
    long long power = static_cast<long long>(whole_digits) - 1 + 3 + written_exponent(number);
    std::int64_t ms = 0;
    bool is_half = false;
    for (const char digit : mantissa) {
        if (digit == '.')
            continue;
        if (is_negative && digit != '0')
            return std::nullopt;
        if (power >= 0)
            ms = ms * 10 + (digit - '0');
        else if (power == -1)
            is_half = digit >= '5';
        if (ms >= end_of_time_ms)
            return std::nullopt;
        --power;
    }
    // The zeros that the exponent stands for.
    for (; ms > 0 && power >= 0; --power)
        if ((ms *= 10) >= end_of_time_ms)
            return std::nullopt;
    ms += is_half ? 1 : 0;
    if (ms >= end_of_time_ms)
        return std::nullopt;
    return samples::ServerTime(std::chrono::milliseconds(ms));
}

} // namespace wva_metrics::prometheus::detail
