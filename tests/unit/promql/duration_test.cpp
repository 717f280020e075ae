// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/promql/duration.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>

using namespace std::chrono_literals;
using wva_metrics::promql::format_duration;

TEST_CASE("a range is written in seconds, or in milliseconds if it is not whole seconds") {
    CHECK(format_duration(60s) == "60s");
    CHECK(format_duration(1min + 30s) == "90s");
    CHECK(format_duration(1h) == "3600s");
    CHECK(format_duration(1500ms) == "1500ms");
    CHECK(format_duration(0s) == "0s");
}

TEST_CASE("a positive range shorter than a millisecond never becomes zero") {
    CHECK(format_duration(1ns) == "1ms");
    CHECK(format_duration(1s + 1ns) == "1001ms");
}
