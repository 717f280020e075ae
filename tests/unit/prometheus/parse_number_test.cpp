// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/prometheus/detail/parse_time.hpp"
#include "wva_metrics/prometheus/detail/parse_value.hpp"

#include <catch2/catch_all.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <initializer_list>
#include <optional>
#include <random>
#include <string>
#include <utility>

using namespace wva_metrics;
using prometheus::detail::parse_time;
using prometheus::detail::parse_value;

namespace {

std::optional<std::int64_t> ms_of(const std::string& number) {
    const std::optional<samples::ServerTime> time = parse_time(number);
    if (!time)
        return std::nullopt;
    return time->time_since_epoch().count();
}

} // namespace

TEST_CASE("a time is rounded to the nearest millisecond, from all of its digits") {
    for (const auto& [number, ms] : std::initializer_list<std::pair<std::string, std::int64_t>>{
             {"0", 0},
             {"-0", 0},
             {"-0.000e7", 0},
             {"0e99999999999999999999", 0},
             {"1e-99999999999999999999", 0},
             {"0.0004", 0},
             {"0.00049999999999999999999999999", 0},
             {"0.0005", 1},
             {"5e-4", 1},
             {"4.9e-4", 0},
             {"1700000000.1235", 1'700'000'000'124},
             {"1700000000.12349999999999999999", 1'700'000'000'123},
             {"1700000000.9995", 1'700'000'001'000},
             {"1700000000", 1'700'000'000'000},
             {"1700000000.1", 1'700'000'000'100},
             {"1700000000.12", 1'700'000'000'120},
             {"1700000000.123", 1'700'000'000'123},
             {"999999999999", 999'999'999'999'000},
             {"999999999999.999", 999'999'999'999'999},
             {"1.7e9", 1'700'000'000'000},
             {"1.700000000123e+9", 1'700'000'000'123},
             {"1700000000123E-3", 1'700'000'000'123},
             {"17000000001234999e-7", 1'700'000'000'123},
             {"1" + std::string(300, '0') + "e-300", 1000},
             {"0." + std::string(300, '0') + "1e301", 1000},
             {"999999999999.9994", 999'999'999'999'999}}) {
        INFO(number);
        CHECK(ms_of(number) == ms);
    }
    for (const char* number : {"1e12", "1000000000000", "1000000000000.1", "9999999999999.9",
                               "999999999999.9995", "-1", "-0.0001", "-1e-400", "1e400",
                               "1e99999999999999999999", "0.1e14", "18446744073709551616"}) {
        INFO(number);
        CHECK_FALSE(ms_of(number).has_value());
    }
}

TEST_CASE("a time is read the same in every notation") {
    std::mt19937_64 random(11);
    for (int round = 0; round < 20'000; ++round) {
        const auto ms =
            static_cast<std::int64_t>(random() % 1'000'000'000'000'000U >> (random() % 50U));
        const std::string digits = std::to_string(ms);
        const std::string padded = std::string(4, '0') + digits;
        const std::string whole = std::to_string(ms / 1000);
        const std::string rest = padded.substr(padded.size() - 3);
        for (const std::string& number :
             {whole + "." + rest, digits + "e-3", digits + "00E-05", digits + ".0e-3",
              whole + "." + rest + "4999",
              digits.substr(0, 1) + "." + digits.substr(1) + "0e" +
                  std::to_string(static_cast<int>(digits.size()) - 4)}) {
            INFO(number);
            REQUIRE(ms_of(number) == ms);
        }
        REQUIRE(ms_of(whole + "." + rest + "5") ==
                (ms + 1 < 1'000'000'000'000'000 ? std::optional(ms + 1) : std::nullopt));
    }
}

TEST_CASE("short decimals are rounded to the nearest double") {
    std::mt19937_64 random(12);
    for (int round = 0; round < 100'000; ++round) {
        std::string text = std::to_string(random() % 100'000'000'000'000'000U >> (random() % 57U));
        if (const std::size_t point = random() % 20U; point > 0 && point < text.size())
            text.insert(point, ".");
        if (random() % 4U == 0)
            text.insert(0, "-");
        INFO(text);
        REQUIRE(parse_value(text) == std::strtod(text.c_str(), nullptr));
    }
    // Numbers of 16 to 18 digits, which a double cannot hold, and zeros around them.
    for (int round = 0; round < 100'000; ++round) {
        std::string text = std::to_string(random() % 1'000'000'000'000'000'000U >> (random() % 8U));
        text.insert(0, random() % 4U, '0');
        text.insert(random() % (text.size() - 1) + 1, ".");
        INFO(text);
        REQUIRE(parse_value(text) == std::strtod(text.c_str(), nullptr));
    }
    // In the middle between two doubles, if the number of 54 bits is odd, or next to it. Half and a
    // quarter of that number are too, and have one and two decimals.
    for (int round = 0; round < 100'000; ++round) {
        std::uint64_t number = random() % (1ULL << 53U) + (1ULL << 53U);
        const std::size_t decimals = random() % 3U;
        for (std::size_t i = 0; i < decimals; ++i)
            number *= 5;
        std::string text = std::to_string(number + random() % 3U - 1);
        text.insert(text.size() - decimals, ".");
        text += decimals == 0 ? "0" : "";
        INFO(text);
        REQUIRE(parse_value(text) == std::strtod(text.c_str(), nullptr));
    }
    for (const char* text : {".", "1.2.3", "..1", "1..2", "1-", "", "-", "12 "}) {
        INFO(text);
        CHECK_FALSE(parse_value(text).has_value());
    }
}
