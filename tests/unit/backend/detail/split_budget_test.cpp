// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/backend/detail/split_budget.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <random>

using namespace wva_metrics;
using namespace wva_metrics::detail;
using namespace std::chrono_literals;

TEST_CASE("so many queries may be halved at once, and as many again a minute later") {
    SplitBudget budget;
    TimePoint now{24h};
    for (int minute = 0; minute < 3; ++minute, now += SplitBudget::full_after) {
        for (unsigned i = 0; i < SplitBudget::most; ++i)
            REQUIRE(budget.take(now));
        CHECK_FALSE(budget.take(now));
    }
}

TEST_CASE("in no minute are more queries halved than at once and a minute's worth") {
    std::mt19937 random(7);
    SplitBudget budget;
    std::vector<TimePoint> taken;
    TimePoint now{24h};
    for (int i = 0; i < 20'000; ++i, now += std::chrono::milliseconds(random() % 900))
        if (budget.take(now))
            taken.push_back(now);
    const std::size_t most = 2 * SplitBudget::most;
    REQUIRE(taken.size() > most);
    for (std::size_t i = most; i < taken.size(); ++i)
        REQUIRE(taken[i] - taken[i - most] >= SplitBudget::full_after - 1s);
}

TEST_CASE("a time that went back allows nothing more") {
    SplitBudget budget;
    const TimePoint now{24h};
    for (unsigned i = 0; i < SplitBudget::most; ++i)
        REQUIRE(budget.take(now));
    CHECK_FALSE(budget.take(now - 1h));
    CHECK_FALSE(budget.take(now - 1h));
}
