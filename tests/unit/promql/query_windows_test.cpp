// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/promql/query_windows.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using wva_metrics::promql::QueryWindows;
using wva_metrics::promql::validate;

namespace {

using Texts = std::vector<std::string>;

} // namespace

TEST_CASE("the default windows are valid, and so are a peak window of 0 and a step as long as the "
          "look-back") {
    CHECK(validate(QueryWindows{}).empty());
    CHECK(validate(QueryWindows{.peak = 0s}).empty());
    CHECK(validate(QueryWindows{.stale_lookback = 1min, .stale_step = 1min}).empty());
    CHECK(validate(QueryWindows{.stale_lookback = 1000min, .stale_step = 1min}).empty());
}

TEST_CASE("all problems of the windows are reported at once") {
    CHECK(validate(QueryWindows{.rate = 0s,
                                .peak = -1s,
                                .stale_lookback = 0s,
                                .stale_step = -1s,
                                .pod_retention = 0s}) ==
          Texts{"windows.rate must be positive",
                "windows.peak must not be negative; 0 takes the last sample",
                "windows.stale_lookback must be positive", "windows.stale_step must be positive",
                "windows.pod_retention must be positive"});
    CHECK(validate(QueryWindows{.stale_lookback = 1min, .stale_step = 2min}) ==
          Texts{"windows.stale_step must not be longer than windows.stale_lookback"});
    CHECK(validate(QueryWindows{.stale_lookback = 1001min, .stale_step = 1min}) ==
          Texts{"windows.stale_lookback must be at most 1000 times windows.stale_step"});
}

TEST_CASE("windows of which each round fetches all samples are bounded") {
    CHECK(validate(QueryWindows{.rate = 1h, .peak = 1h, .pod_retention = 6h}).empty());
    CHECK(validate(QueryWindows{.stale_lookback = 168h, .stale_step = 1h}).empty());
    const Texts problems = validate(QueryWindows{.rate = 1h + 1ns,
                                                 .peak = 168h,
                                                 .stale_lookback = 169h,
                                                 .stale_step = 1h,
                                                 .pod_retention = 6h + 1s});
    REQUIRE(problems.size() == 4);
    CHECK(problems[0].starts_with("windows.rate must be at most 1h, because"));
    CHECK(problems[1].starts_with("windows.peak must be at most 1h, because"));
    CHECK(problems[2].starts_with("windows.stale_lookback must be at most 168h"));
    CHECK(problems[3].starts_with("windows.pod_retention must be at most 6h, because"));
}
