// SPDX-License-Identifier: Apache-2.0

#include "wva_metrics/resilience/retry_after.hpp"

#include "fuzz/properties.hpp"
#include "fuzz/target.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>

#include <time.h>

namespace wva_metrics::fuzz {
namespace {

namespace chrono = std::chrono;

const chrono::sys_seconds asked_at{chrono::seconds(1'700'000'000)};
constexpr Duration longest = chrono::minutes(5);

/// Seconds since 1970 of a date as the C library reads it; nothing if it cannot.
std::optional<std::int64_t> model_date(const std::string& text) {
    for (const char* const format :
         {"%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"}) {
        std::tm parts{};
        const char* const end = ::strptime(text.c_str(), format, &parts);
        // The library reads a year of two digits alike in all forms.
        const bool has_year = parts.tm_year >= 1000 - 1900;
        if (end != nullptr && *end == '\0' && has_year)
            return ::timegm(&parts);
    }
    return std::nullopt;
}

/// A wait is never negative nor longer than allowed; one in seconds is what it says, and a date in
/// one of the three forms is that of the C library.
void fuzz_retry_after(std::string_view bytes) {
    const std::optional<Duration> wait = resilience::parse_retry_after(bytes, asked_at, longest);
    expect(!wait || (*wait >= Duration::zero() && *wait <= longest), "a wait beyond its limits");

    const std::string text(bytes);
    const bool is_number = !text.empty() && text.size() <= 9 &&
                           text.find_first_not_of("0123456789") == std::string::npos;
    if (is_number)
        expect(wait == std::min<Duration>(chrono::seconds(std::stol(text)), longest),
               "another number of seconds");
    if (!is_number && wait && text.find(' ') == std::string::npos)
        expect(text.find_first_of("0123456789") != std::string::npos, "a word is a wait");

    const std::optional<std::int64_t> date = model_date(text);
    if (date && wait && text.find("  ") == std::string::npos) {
        const std::int64_t left = *date - asked_at.time_since_epoch().count();
        const std::int64_t bound = chrono::duration_cast<chrono::seconds>(longest).count();
        expect(*wait == chrono::seconds(std::clamp<std::int64_t>(left, 0, bound)), "another date");
    }
}

const RegisteredTarget retry_after_target("retry_after", &fuzz_retry_after);

} // namespace
} // namespace wva_metrics::fuzz
