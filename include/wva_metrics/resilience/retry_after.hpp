// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/reading.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string_view>
#include <system_error>

namespace wva_metrics::resilience {

namespace detail {

/// A number of digits only; nothing if the text is anything else or the number does not fit.
inline std::optional<int> parse_digits(std::string_view text) noexcept {
    int value = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    if (text.empty() || text.front() == '-' || error != std::errc() || stop != end)
        return std::nullopt;
    return value;
}

inline std::optional<std::chrono::month> parse_month(std::string_view name) noexcept {
    constexpr std::string_view names = "JanFebMarAprMayJunJulAugSepOctNovDec";
    const std::size_t at = name.size() == 3 ? names.find(name) : std::string_view::npos;
    if (at == std::string_view::npos || at % 3 != 0)
        return std::nullopt;
    return std::chrono::month(static_cast<unsigned>(at / 3 + 1));
}

/// `08:49:37`
inline std::optional<std::chrono::seconds> parse_time_of_day(std::string_view text) noexcept {
    if (text.size() != 8 || text[2] != ':' || text[5] != ':')
        return std::nullopt;
    const std::optional<int> hour = parse_digits(text.substr(0, 2));
    const std::optional<int> minute = parse_digits(text.substr(3, 2));
    const std::optional<int> second = parse_digits(text.substr(6, 2));
    // 60 is a leap second.
    if (!hour || !minute || !second || *hour > 23 || *minute > 59 || *second > 60)
        return std::nullopt;
    return std::chrono::hours(*hour) + std::chrono::minutes(*minute) +
           std::chrono::seconds(*second);
}

/// The three forms of a date in HTTP (RFC 9110, 5.6.7), all of them in GMT:
/// `Sun, 06 Nov 1994 08:49:37 GMT`, `Sunday, 06-Nov-94 08:49:37 GMT`, `Sun Nov  6 08:49:37 1994`.
inline std::optional<std::chrono::sys_seconds> parse_http_date(std::string_view text) noexcept {
    std::array<std::string_view, 6> words;
    std::size_t count = 0;
    constexpr std::string_view separators = " ,-";
    for (std::size_t at = text.find_first_not_of(separators); at != std::string_view::npos;
         at = text.find_first_not_of(separators, at)) {
        if (count == words.size())
            return std::nullopt;
        const std::size_t end = std::min(text.find_first_of(separators, at), text.size());
        words[count++] = text.substr(at, end - at);
        at = end;
    }
    const bool is_asctime = count == 5;
    if (!is_asctime && (count != 6 || words[5] != "GMT"))
        return std::nullopt;
    const std::optional<int> day = parse_digits(words[is_asctime ? 2 : 1]);
    const std::optional<std::chrono::month> month = parse_month(words[is_asctime ? 1 : 2]);
    const std::optional<int> year = parse_digits(words[is_asctime ? 4 : 3]);
    const auto time = parse_time_of_day(words[is_asctime ? 3 : 4]);
    if (!day || !month || !year || !time || *day > 31 || *year > 9999)
        return std::nullopt;
    // A year of two digits is near now, as POSIX reads it.
    const bool is_short = words[is_asctime ? 4 : 3].size() == 2;
    const int full_year = !is_short ? *year : *year + (*year < 69 ? 2000 : 1900);
    const std::chrono::year_month_day date(std::chrono::year(full_year), *month,
                                           std::chrono::day(static_cast<unsigned>(*day)));
    if (!date.ok())
        return std::nullopt;
    return std::chrono::sys_days(date) + *time;
}

} // namespace detail

/// How long a server asks to wait by a `Retry-After` header: a number of seconds, or a date. At most
/// `longest`, because a wrong number must not silence a client for hours. Nothing for any other text
/// (a negative number, a fraction, words).
///
/// `now`: by the system's clock, for a date. A date that has passed means zero.
inline std::optional<Duration> parse_retry_after(std::string_view text,
                                                 std::chrono::system_clock::time_point now,
                                                 Duration longest) noexcept {
    constexpr std::string_view blanks = " \t";
    const std::size_t begin = std::min(text.find_first_not_of(blanks), text.size());
    text = text.substr(begin, text.find_last_not_of(blanks) + 1 - begin);
    if (text.empty() || text.size() > 64)
        return std::nullopt;
    if (text.find_first_not_of("0123456789") == std::string_view::npos) {
        const std::optional<int> seconds = detail::parse_digits(text);
        return seconds ? std::min<Duration>(std::chrono::seconds(*seconds), longest) : longest;
    }
    const auto date = detail::parse_http_date(text);
    if (!date)
        return std::nullopt;
    // In seconds, because a date of another century does not fit into the clock's nanoseconds.
    if (*date <= std::chrono::floor<std::chrono::seconds>(now))
        return Duration::zero();
    if (*date >= std::chrono::ceil<std::chrono::seconds>(now + longest))
        return longest;
    return std::chrono::duration_cast<Duration>(*date - now);
}

} // namespace wva_metrics::resilience
