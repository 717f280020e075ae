// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../support/measurement.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

namespace bench::report {

/// A number as text with three significant digits: "0.0213", "29.8", "12 400".
inline std::string readable(double value) {
    if (std::isinf(value))
        return value > 0 ? "\u221e" : "-\u221e";
    if (value < 0)
        return "-" + readable(-value);
    if (value == 0 || value >= 1e15)
        return value == 0 ? "0" : "over 10^15";
    const int magnitude = static_cast<int>(std::floor(std::log10(value)));
    const double unit = std::pow(10.0, magnitude - 2);
    const double rounded = std::round(value / unit) * unit;
    if (rounded >= 100)
        return grouped(static_cast<std::uint64_t>(std::llround(rounded)));
    char text[64];
    std::snprintf(text, sizeof text, "%.*f", std::max(0, 2 - magnitude), rounded);
    std::string digits = text;
    // Trailing zeros are removed, because they only look precise: 4.00 becomes 4.
    if (digits.find('.') != std::string::npos) {
        while (digits.ends_with('0'))
            digits.pop_back();
        if (digits.ends_with('.'))
            digits.pop_back();
    }
    return digits;
}

/// The number of characters of a UTF-8 text, as if all had the same width.
inline std::size_t width_of(std::string_view text) {
    return static_cast<std::size_t>(std::ranges::count_if(
        text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

} // namespace bench::report
