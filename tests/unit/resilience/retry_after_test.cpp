// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/resilience/retry_after.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <random>
#include <string>

using namespace wva_metrics;
using namespace wva_metrics::resilience;
using namespace std::chrono_literals;

namespace {

/// Sun, 06 Nov 1994 08:49:37 GMT
const std::chrono::system_clock::time_point date_of_rfc{784'111'777s};

std::optional<Duration> parse(const std::string& text, std::chrono::seconds before = 30s) {
    return parse_retry_after(text, date_of_rfc - before, 60s);
}

} // namespace

TEST_CASE("Retry-After in seconds is read, and capped") {
    CHECK(parse("0") == 0s);
    CHECK(parse("30") == 30s);
    CHECK(parse("007") == 7s);
    CHECK(parse(" 5\t") == 5s);
    CHECK(parse("60") == 60s);
    CHECK(parse("61") == 60s);
    CHECK(parse("99999999999999999999999999") == 60s);
}

TEST_CASE("Retry-After as a date is read in all three forms, and capped") {
    const std::string date =
        GENERATE(as<std::string>{}, "Sun, 06 Nov 1994 08:49:37 GMT", "Sun Nov  6 08:49:37 1994");
    CHECK(parse(date) == 30s);
    CHECK(parse(date, 0s) == 0s);
    CHECK(parse(date, -1h) == 0s);
    CHECK(parse(date, 60s) == 60s);
    CHECK(parse(date, 61s) == 60s);
    CHECK(parse(date, 24h * 365 * 20) == 60s);
    const auto now = std::chrono::sys_days(std::chrono::year(2026) / 11 / 29);
    CHECK(parse_retry_after("Sunday, 29-Nov-26 00:00:10 GMT", now, 60s) == 10s);
    CHECK(parse_retry_after("Sun, 29 Nov 2026 00:00:10 GMT", now, 60s) == 10s);
    CHECK(parse_retry_after("Fri, 31 Dec 9999 23:59:59 GMT", now, 60s) == 60s);
}

TEST_CASE("any other Retry-After is ignored") {
    const std::string text =
        GENERATE(as<std::string>{}, "", " ", "-1", "+5", "1.5", "1e3", "0x10", "30 s", "30;",
                 "soon", "NaN", "1,2", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 PST",
                 "Sun, 32 Nov 1994 08:49:37 GMT", "Mon, 30 Feb 1994 08:49:37 GMT",
                 "Sun, 06 Now 1994 08:49:37 GMT", "Sun, 06 ovD 1994 08:49:37 GMT",
                 "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 06 Nov 1994 08:60:37 GMT",
                 "Sun, 06 Nov 1994 8:49:37 GMT", "Sun, 06 Nov 99999 08:49:37 GMT",
                 "Sun, 06 Nov 1994 08:49:37 GMT GMT", "Sun, -06 Nov -1994 08:49:37 PST",
                 "1994-11-06T08:49:37Z", std::string(100, '1'), std::string("3\0", 2));
    CAPTURE(text);
    CHECK_FALSE(parse(text));
}

TEST_CASE("Retry-After of any bytes is ignored or within its bounds") {
    std::mt19937 engine(11);
    const std::string parts[] = {"Sun",  ", ",       "06",  " ", "Nov",
                                 "1994", "08:49:37", "GMT", "-", "9"};
    for (int i = 0; i < 50'000; ++i) {
        std::string text;
        for (std::size_t n = engine() % 14; n > 0; --n) {
            if (engine() % 8 == 0)
                text += static_cast<char>(engine() % 256);
            else
                text += parts[engine() % std::size(parts)];
        }
        const auto pause = parse(text);
        if (pause) {
            CAPTURE(text);
            REQUIRE(*pause >= 0s);
            REQUIRE(*pause <= 60s);
        }
    }
}
