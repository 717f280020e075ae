// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/testing/detail/prometheus_answer.hpp"

#include <catch2/catch_all.hpp>

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <random>
#include <string>

using namespace wva_metrics::testing::detail;

TEST_CASE("numbers are written as in Prometheus") {
    CHECK(format_number(0) == "0");
    CHECK(format_number(-0.0) == "-0");
    CHECK(format_number(0.1 + 0.2) == "0.30000000000000004");
    CHECK(format_number(1e-7) == "0.0000001");
    CHECK(format_number(1e22) == "10000000000000000000000");
    CHECK(format_number(-123.456) == "-123.456");
    CHECK(format_number(std::nan("")) == "NaN");
    CHECK(format_number(-std::numeric_limits<double>::infinity()) == "-Inf");
    CHECK(format_sample_value(1e21) == "1e+21");
    CHECK(format_sample_value(9.9e20) == "990000000000000000000");
    CHECK(format_sample_value(-5e-7) == "-5e-07");
    CHECK(format_sample_value(std::numeric_limits<double>::infinity()) == "+Inf");
}

TEST_CASE("every written number is parsed to the same number") {
    std::mt19937_64 random(3);
    for (int round = 0; round < 20'000; ++round) {
        const auto value = std::bit_cast<double>(random());
        if (!std::isfinite(value))
            continue;
        CHECK(std::strtod(format_number(value).c_str(), nullptr) == value);
        CHECK(std::strtod(format_sample_value(value).c_str(), nullptr) == value);
    }
}

TEST_CASE("timestamps have no decimals or three") {
    CHECK(format_timestamp(1'700'000'000'000) == "1700000000");
    CHECK(format_timestamp(1'700'000'000'050) == "1700000000.050");
    CHECK(format_timestamp(-500) == "-0.500");
    CHECK(format_timestamp(-1500) == "-1.500");
}

TEST_CASE("text that is special in JSON or HTML is escaped") {
    std::string out;
    append_json_string(out, "a\"\\\n\r\t\x01<&>\xE2\x80\xA8ä");
    CHECK(out == "\"a\\\"\\\\\\n\\r\\t\\u0001\\u003c\\u0026\\u003e\\u2028ä\"");
}

TEST_CASE("answers have the format of Prometheus") {
    const LabelSet labels({{"__name__", "up"}, {"pod", "p"}});
    CHECK(write_answer(InstantVector{{labels, 1, 5}, {LabelSet(), 2, 5}}, 1500) ==
          R"({"status":"success","data":{"resultType":"vector","result":[)"
          R"({"metric":{"__name__":"up","pod":"p"},"value":[1.500,"1"]},)"
          R"({"metric":{},"value":[1.500,"2"]}]}})");
    CHECK(write_answer(RangeVector{{labels, {{1000, 1}, {2000, 2}}}}, 1500) ==
          R"({"status":"success","data":{"resultType":"matrix","result":[)"
          R"({"metric":{"__name__":"up","pod":"p"},"values":[[1,"1"],[2,"2"]]}]}})");
    CHECK(write_answer(InstantVector{}, 0) ==
          R"({"status":"success","data":{"resultType":"vector","result":[]}})");
    CHECK(write_answer(1e-7, 1500) ==
          R"({"status":"success","data":{"resultType":"scalar","result":[1.5,"0.0000001"]}})");
    CHECK(write_answer(QueryFailure::execution("too \"much\"")) ==
          R"({"status":"error","errorType":"execution","error":"too \"much\""})");
}
