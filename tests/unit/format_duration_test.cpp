// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/format_duration.hpp"

#include <catch2/catch_all.hpp>

#include <utility>

using namespace wva_metrics;
using namespace std::chrono_literals;

TEST_CASE("durations are formatted as in Go") {
    const auto [duration, expected] = GENERATE(table<Duration, std::string>({
        {0s, "0s"},
        {1ns, "1ns"},
        {999ns, "999ns"},
        {1us, "1us"},
        {1100ns, "1.1us"},
        {2200us, "2.2ms"},
        {250ms, "250ms"},
        {1500ms, "1.5s"},
        {3300ms, "3.3s"},
        {30s, "30s"},
        {5min, "5m0s"},
        {5min + 5s + 1ms, "5m5.001s"},
        {1h, "1h0m0s"},
        {24h + 1min + 1ns, "24h1m0.000000001s"},
        {-250ms, "-250ms"},
        {-(2h + 250ms), "-2h0m0.25s"},
        {Duration::max(), "2562047h47m16.854775807s"},
        {Duration::min(), "-2562047h47m16.854775808s"},
    }));
    CHECK(format_duration(duration) == expected);
}
