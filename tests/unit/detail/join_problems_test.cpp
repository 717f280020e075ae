// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/detail/join_problems.hpp"

#include <catch2/catch_all.hpp>

#include <string>
#include <vector>

using wva_metrics::detail::join_problems;

TEST_CASE("problems are joined by a semicolon", "[detail]") {
    CHECK(join_problems({}).empty());
    CHECK(join_problems(std::vector<std::string>{"a is empty"}) == "a is empty");
    CHECK(join_problems(std::vector<std::string>{"a is empty", "b is too large"}) ==
          "a is empty; b is too large");
}
