// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/exposition/detail/parse_number.hpp"

#include <charconv>
#include <cmath>
#include <cstddef>
#include <limits>
#include <optional>
#include <string_view>
#include <system_error>

namespace wva_metrics::exposition::detail {

/// True for a `realnumber` of OpenMetrics' grammar: digits, with a point and an exponent or without.
inline bool is_real_number(std::string_view text) noexcept {
    std::size_t at = 0;
    const auto take_sign = [&] { at += at < text.size() && (text[at] == '+' || text[at] == '-'); };
    const auto take_digits = [&] {
        const std::size_t first = at;
        while (at < text.size() && text[at] >= '0' && text[at] <= '9')
            ++at;
        return at - first;
    };
    take_sign();
    std::size_t digits = take_digits();
    if (at < text.size() && text[at] == '.') {
        ++at;
        digits += take_digits();
    }
    if (digits > 0 && at < text.size() && (text[at] | 0x20) == 'e') {
        ++at;
        take_sign();
        digits = take_digits();
    }
    return digits > 0 && at == text.size();
}

/// The value of a `number` of OpenMetrics' grammar: a real number that fits into a double, `nan`, or
/// `inf` or `infinity` with a sign or without one, in any case.
inline std::optional<double> parse_strict_number(std::string_view text) noexcept {
    const std::optional<double> value = parse_number(text);
    if (!value)
        return std::nullopt;
    if (is_real_number(text))
        return std::isfinite(*value) ? value : std::nullopt;
    return std::isnan(*value) && text.size() != 3 ? std::nullopt : value;
}

/// A time of OpenMetrics in seconds, with more digits than a double has: nanoseconds differ. Like a
/// number, it must fit into a double, which is what readers take it for.
inline std::optional<long double> parse_strict_seconds(std::string_view text) noexcept {
    if (!is_real_number(text))
        return std::nullopt;
    if (text.starts_with('+'))
        text.remove_prefix(1);
    long double seconds = 0;
    const std::from_chars_result parsed =
        std::from_chars(text.data(), text.data() + text.size(), seconds);
    const bool fits =
        parsed.ec == std::errc() && std::abs(seconds) <= std::numeric_limits<double>::max();
    return fits ? std::optional(seconds) : std::nullopt;
}

} // namespace wva_metrics::exposition::detail
