// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/detail/lasting_flag.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>

using namespace wva_metrics;
using namespace wva_metrics::detail;
using namespace std::chrono_literals;

TEST_CASE("a flag is not set at first, even on a machine that has just started") {
    const LastingFlag flag;
    CHECK_FALSE(flag.is_set(TimePoint{}));
    CHECK_FALSE(flag.is_set(TimePoint{24h}));
}

TEST_CASE("a flag is forgotten after a while, unless it is set again") {
    LastingFlag flag;
    const TimePoint set_at{24h};
    flag.set(set_at);
    CHECK(flag.is_set(set_at));
    CHECK(flag.is_set(set_at + LastingFlag::lasts_for - 1ms));
    CHECK_FALSE(flag.is_set(set_at + LastingFlag::lasts_for));
    flag.set(set_at + 5min);
    CHECK(flag.is_set(set_at + LastingFlag::lasts_for));
    CHECK_FALSE(flag.is_set(set_at + 5min + LastingFlag::lasts_for));
    flag.set(set_at);
    flag.clear();
    CHECK_FALSE(flag.is_set(set_at));
}
