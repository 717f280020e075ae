// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/clean_text.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/reading.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

namespace wva_metrics {

/// Parses a duration in the format of Go and `format_duration`: `15s`, `500ms`, `1.5h`, `5m0s`,
/// `-250ms`.
///
/// Units are h, m, s, ms, us (or µs) and ns; only `0` needs no unit. Digits below a nanosecond are
/// ignored. Errors: `invalid_argument` if the text is not a duration or exceeds the range of
/// `Duration`, 292 years.
inline Result<Duration> parse_duration(std::string_view text) {
    using Unit = std::pair<std::string_view, std::uint64_t>;
    // The first match counts, so a unit that is a prefix of another comes after it.
    static constexpr std::array<Unit, 8> units{{{"ns", 1},
                                                {"us", 1'000},
                                                {"\u00b5s", 1'000},
                                                {"\u03bcs", 1'000},
                                                {"ms", 1'000'000},
                                                {"s", 1'000'000'000},
                                                {"m", 60'000'000'000},
                                                {"h", 3'600'000'000'000}}};
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    constexpr std::size_t max_quoted_bytes = 60;
    const Error rejected(Errc::invalid_argument,
                         "'" + detail::clean_text(text, max_quoted_bytes) +
                             "' is not a duration such as 15s, 500ms or 1m30s");

    std::string_view rest = text;
    const bool is_negative = rest.starts_with('-');
    if (is_negative || rest.starts_with('+'))
        rest.remove_prefix(1);
    if (rest == "0")
        return Duration::zero();
    if (rest.empty())
        return rejected;

    // The smallest duration has no positive counterpart.
    const std::uint64_t limit =
        std::uint64_t{std::numeric_limits<std::int64_t>::max()} + (is_negative ? 1U : 0U);
    std::uint64_t total = 0;
    while (!rest.empty()) {
        std::size_t digits = 0;
        std::size_t end = 0;
        std::size_t point = std::string_view::npos;
        for (; end < rest.size() && (is_digit(rest[end]) || rest[end] == '.'); ++end) {
            if (is_digit(rest[end]))
                ++digits;
            else if (point == std::string_view::npos)
                point = end;
            else
                return rejected;
        }
        const std::string_view number = rest.substr(0, end);
        rest.remove_prefix(end);
        const Unit* unit = nullptr;
        for (const Unit& candidate : units)
            if (unit == nullptr && rest.starts_with(candidate.first))
                unit = &candidate;
        if (digits == 0 || unit == nullptr)
            return rejected;
        rest.remove_prefix(unit->first.size());

        std::uint64_t count = 0;
        std::uint64_t fraction = 0;
        std::uint64_t place = unit->second;
        for (std::size_t i = 0; i < number.size(); ++i) {
            const auto digit = static_cast<std::uint64_t>(number[i] - '0');
            if (i > point)
                fraction += digit * (place /= 10);
            else if (i < point && count > (limit - digit) / 10)
                return rejected;
            else if (i < point)
                count = count * 10 + digit;
        }
        if (count > (limit - total) / unit->second)
            return rejected;
        total += count * unit->second;
        if (fraction > limit - total)
            return rejected;
        total += fraction;
    }
    const std::uint64_t bits = is_negative ? 0 - total : total;
    return std::chrono::duration_cast<Duration>(
        std::chrono::nanoseconds(static_cast<std::int64_t>(bits)));
}

} // namespace wva_metrics
