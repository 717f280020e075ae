// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/cache/attribution_cache.hpp"

#include <catch2/catch_all.hpp>

#include <memory>
#include <string>
#include <thread>
#include <vector>

using namespace wva_metrics;

namespace {

std::vector<VariantAutoscaling> variants_at_cost(double cost) {
    return {{"ns", "variant", "model", "deployment", "A100", cost}};
}

Join join_at_cost(double cost) {
    return {variants_at_cost(cost), std::make_shared<const ModelReplicas>(), {}};
}

} // namespace

TEST_CASE("a join is found by the variants it was made with, and by no others") {
    AttributionCache joins;
    CHECK(joins.find(variants_at_cost(1)) == nullptr);
    const Join made = join_at_cost(1);
    joins.add(made);
    joins.add(join_at_cost(2));
    REQUIRE(joins.find(variants_at_cost(1)) != nullptr);
    CHECK(joins.find(variants_at_cost(1))->replicas == made.replicas);
    CHECK(joins.find(variants_at_cost(2))->replicas != made.replicas);
    CHECK(joins.find(variants_at_cost(3)) == nullptr);
    CHECK(joins.find({}) == nullptr);
}

TEST_CASE("so many joins are kept with an entry, and they go with it") {
    std::weak_ptr<const ModelReplicas> first;
    {
        AttributionCache joins;
        for (int i = 0; i <= AttributionCache::max_joins; ++i)
            joins.add(join_at_cost(i));
        for (int i = 0; i < AttributionCache::max_joins; ++i)
            CHECK(joins.find(variants_at_cost(i)) != nullptr);
        CHECK(joins.find(variants_at_cost(AttributionCache::max_joins)) == nullptr);
        first = joins.find(variants_at_cost(0))->replicas;
        CHECK_FALSE(first.expired());
    }
    CHECK(first.expired());
}

TEST_CASE("threads that add joins at the same time lose none and exceed no bound") {
    for (int round = 0; round < 200; ++round) {
        AttributionCache joins;
        std::vector<std::thread> threads;
        for (int thread = 0; thread < 3; ++thread)
            threads.emplace_back([&joins, thread] {
                joins.add(join_at_cost(thread));
                joins.add(join_at_cost(thread + 10));
            });
        for (std::thread& thread : threads)
            thread.join();
        int kept = 0;
        for (const int cost : {0, 1, 2, 10, 11, 12})
            if (const Join* const join = joins.find(variants_at_cost(cost))) {
                CHECK(join->variants.front().cost == cost);
                ++kept;
            }
        CHECK(kept == AttributionCache::max_joins);
    }
}
