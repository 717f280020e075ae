// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/format_duration.hpp"
#include "wva_metrics/parse_duration.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <random>
#include <utility>

using namespace wva_metrics;
using namespace std::chrono_literals;

TEST_CASE("durations are parsed as in Go") {
    const auto [text, expected] = GENERATE(table<std::string, Duration>({
        {"0", 0s},
        {"-0", 0s},
        {"0s", 0s},
        {"15s", 15s},
        {"+15s", 15s},
        {"500ms", 500ms},
        {"1m", 1min},
        {"1m30s", 90s},
        {"90s", 90s},
        {"1.5h", 90min},
        {".5s", 500ms},
        {"1.s", 1s},
        {"5m0s", 5min},
        {"1h1m1s1ms1us1ns", 1h + 1min + 1s + 1ms + 1us + 1ns},
        {"7us", 7us},
        {"7\u00b5s", 7us},
        {"7\u03bcs", 7us},
        {"1.0000000019s", 1s + 1ns},
        {"-2h0m0.25s", -(2h + 250ms)},
        {"2562047h47m16.854775807s", Duration::max()},
        {"-2562047h47m16.854775808s", Duration::min()},
        {"000000000000000000000000000001s", 1s},
    }));
    INFO(text);
    const Result<Duration> duration = parse_duration(text);
    REQUIRE(duration.has_value());
    CHECK(*duration == expected);
}

TEST_CASE("text that is not a duration is rejected with a message that quotes it") {
    const std::string text =
        GENERATE("", "-", "15", "1.5", "soon", "s", ".s", "-.s", "15 s", " 15s", "15s ", "15S",
                 "1d", "--1s", "1s-1s", "1..5s", "1.2.3s", "0x10s", "1e3s", "NaN", "inf", "15s\n",
                 "1ss", "2562047h47m16.854775808s", "-2562047h47m16.854775809s",
                 "18446744073709551617ns", "9999999999999999999999999999999999s", "2562048h");
    INFO(text);
    const Result<Duration> duration = parse_duration(text);
    REQUIRE(duration.has_error());
    CHECK(duration.error().is(Errc::invalid_argument));
    // Without control characters.
    std::string shown = text;
    std::replace(shown.begin(), shown.end(), '\n', ' ');
    CHECK_THAT(duration.error().message, Catch::Matchers::ContainsSubstring("'" + shown + "'"));
}

TEST_CASE("every formatted duration is parsed to the same duration") {
    std::mt19937_64 random(20260801);
    for (int i = 0; i < 10'000; ++i) {
        // Short durations are as likely as long ones.
        const auto bits = random() >> random() % 64;
        const Duration duration =
            std::chrono::nanoseconds(std::bit_cast<std::int64_t>(i % 2 == 0 ? bits : 0 - bits));
        const std::string text = format_duration(duration);
        INFO(text);
        const Result<Duration> read = parse_duration(text);
        REQUIRE(read.has_value());
        REQUIRE(*read == duration);
    }
}
