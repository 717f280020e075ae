// SPDX-License-Identifier: Apache-2.0
#include "unit/prometheus/answer_fixture.hpp"

#include <catch2/catch_all.hpp>

#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::prometheus::testing;
using Catch::Matchers::ContainsSubstring;

TEST_CASE(
    "every notation of a value is decoded to the nearest double, NaN and the infinities included") {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    struct Case {
        std::string text;
        double value;
    };
    const std::string denormal = "0." + std::string(323, '0') + "5";
    const std::string long_denormal = "0." + std::string(309, '0') + "12345678901234567890123";
    for (const auto& [text, value] :
         std::vector<Case>{{"0", 0},
                           {"-0", -0.0},
                           {"1", 1},
                           {"+1", 1},
                           {"-17.25", -17.25},
                           {"0.1", 0.1},
                           {"1e3", 1000},
                           {"1E+3", 1000},
                           {"2.5e-05", 2.5e-05},
                           {"1.7976931348623157e+308", 1.7976931348623157e+308},
                           {"4.9e-324", 4.9e-324},
                           {denormal, 4.9e-324},
                           {long_denormal, 1.2345678901234567890123e-310},
                           {"9007199254740993", 9007199254740992},
                           {"+Inf", infinity},
                           {"Inf", infinity},
                           {"-Inf", -infinity},
                           {"1e400", infinity},
                           {"-1e400", -infinity},
                           {"1e-400", 0}}) {
        INFO(text);
        const Decoded decoded = decode(vector_with_value('"' + text + '"'));
        REQUIRE(decoded.ok());
        CHECK(decoded.series.at(0).value() == value);
        CHECK(std::signbit(decoded.series.at(0).value()) == std::signbit(value));
    }
    for (const char* text : {"NaN", "Nan", "nan"}) {
        const Decoded decoded = decode(vector_with_value('"' + std::string(text) + '"'));
        REQUIRE(decoded.ok());
        CHECK(std::isnan(decoded.series.at(0).value()));
    }
}

TEST_CASE("a value that is not a quoted number is refused, and so is a sample that is not a time "
          "and a value") {
    for (const char* value :
         {"1",         "1.5",          "null",    "true",        "[]",        "{}",
          "\"\"",      "\" 1\"",       "\"1 \"",  "\"abc\"",     "\"1,5\"",   "\"0x10\"",
          "\"+-1\"",   "\"--1\"",      "\"1e\"",  "\"nan(1)\"",  "\"in\"",    "\"infin\"",
          "\"1_000\"", "\"1\\u0000\"", "\"1\",2", "\"1\",\"2\"", "\"1\",null"}) {
        const std::string body = vector_with_value(value);
        INFO(body);
        const Decoded decoded = decode(body);
        CHECK_FALSE(decoded.ok());
        CHECK(decoded.code() == Errc::bad_response);
    }
    for (const char* sample : {"[]", "[1]", R"(["1","2"])", R"([null,"2"])", R"([[1],"2"])",
                               R"([{},"2"])", "5", "null", "{}", R"("1")", "[true,\"1\"]"}) {
        const std::string body =
            success("vector", R"([{"metric":{},"value":)" + std::string(sample) + "}]");
        INFO(body);
        CHECK(decode(body).code() == Errc::bad_response);
        const std::string range =
            success("matrix", R"([{"metric":{},"values":[)" + std::string(sample) + "]}]");
        INFO(range);
        CHECK(decode(range).code() == Errc::bad_response);
    }
    CHECK_THAT(decode(vector_with_value("null")).error.message,
               ContainsSubstring("data.result[0].value[1] is null, not a quoted number"));
}

TEST_CASE("a time is rounded to a millisecond, and refused if it is none") {
    const auto at = [](const std::string& time) {
        return decode(success("vector", R"([{"metric":{},"value":[)" + time + R"(,"1"]}])"));
    };
    for (const auto& [text, time] : std::vector<std::pair<std::string, double>>{
             {"0", 0},
             {"-0", 0},
             {"1", 1},
             {"1700000000", 1700000000},
             {"1700000000.123", 1700000000.123},
             {"1435781451.7810001", 1435781451.781},
             {"1.7e9", 1.7e9},
             {"17E+8", 1.7e9},
             {"1e-5", 0},
             {"5e-4", 0.001},
             {"999999999999.999", 999999999999.999},
             {"1700000000.12300000000000000000000000000001", 1700000000.123}}) {
        INFO(text);
        const Decoded decoded = at(text);
        REQUIRE(decoded.ok());
        CHECK(decoded.series.at(0).timestamp() == time);
    }
    for (const char* text : {"1e12", "1000000000000", "-1", "-0.001", "1e400", "-1e400",
                             "1e99999999999999999999", "18446744073709551616", "\"1700000000\""}) {
        INFO(text);
        CHECK(at(text).code() == Errc::bad_response);
    }
    CHECK(at("1" + std::string(1000, '0')).code() == Errc::too_large);
}
