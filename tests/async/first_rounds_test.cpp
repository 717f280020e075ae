// SPDX-License-Identifier: Apache-2.0
#include "support/collector_fixture.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test_support;

TEST_CASE("collectors that start together do not fetch together, and each fetches within its "
          "interval") {
    constexpr std::size_t collectors = 30;
    std::vector<std::unique_ptr<CollectorFixture>> all;
    for (std::size_t i = 0; i < collectors; ++i) {
        all.push_back(std::make_unique<CollectorFixture>());
        all.back()->collector->track(variant("v"));
        all.back()->collector->start_background_fetching();
        all.back()->settle();
    }
    const auto fetched = [&] {
        return static_cast<std::size_t>(std::count_if(
            all.begin(), all.end(), [](const auto& f) { return f->backend.batches() > 0; }));
    };
    std::size_t most_at_once = 0;
    for (int second = 0; second < 15; ++second) {
        const std::size_t before = fetched();
        ManualClock::advance(1s);
        for (const auto& f : all)
            f->settle();
        most_at_once = std::max(most_at_once, fetched() - before);
    }
    CHECK(fetched() == collectors);
    // Two per second on average; that chance alone makes this red is out of the question.
    CHECK(most_at_once < collectors / 2);
}
