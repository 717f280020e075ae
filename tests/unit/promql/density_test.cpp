// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/promql/density.hpp"

#include <catch2/catch_all.hpp>

#include <cstddef>
#include <limits>

using namespace wva_metrics::promql;

TEST_CASE("the answer of a chunk is expected to fill half of the stricter bound") {
    constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();
    const AnswerBounds bounds{.max_series = 1000, .max_bytes = 1 << 20};
    CHECK(max_members({}, bounds) == unlimited);
    CHECK(max_members({.series = 10}, {}) > unlimited / 100);
    CHECK(max_members({.series = 10}, bounds) == 50);
    CHECK(max_members({.bytes = 1024}, bounds) == 512);
    CHECK(max_members({.series = 10, .bytes = 1024}, bounds) == 50);
    CHECK(max_members({.series = 0.5, .bytes = 1024}, bounds) == 512);
    // A member that is too large by itself is queried alone.
    CHECK(max_members({.series = 1e6}, bounds) == 1);
    CHECK(max_members({.series = 1e-300}, bounds) == unlimited);
    CHECK(max_members({.series = std::numeric_limits<double>::infinity()}, bounds) == 1);
    CHECK(max_members({.series = std::numeric_limits<double>::quiet_NaN()}, bounds) == unlimited);
}
