// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/cache/attribution_budget.hpp"
#include "wva_metrics/cache/attribution_cache.hpp"

#include <catch2/catch_all.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <thread>
#include <vector>

using namespace wva_metrics;

namespace {

std::vector<VariantAutoscaling> variants_at_cost(double cost) {
    return {{"ns", "variant", "model", "deployment", "A100", cost}};
}

Attribution attribution_at_cost(double cost) {
    return {variants_at_cost(cost), std::make_shared<const ModelReplicas>(), {}};
}

} // namespace

TEST_CASE("an attribution is found by the variants it was computed for, and by no others") {
    AttributionCache cache;
    CHECK(cache.find(variants_at_cost(1)) == nullptr);
    const Attribution made = attribution_at_cost(1);
    cache.add(made);
    cache.add(attribution_at_cost(2));
    REQUIRE(cache.find(variants_at_cost(1)) != nullptr);
    CHECK(cache.find(variants_at_cost(1))->replicas == made.replicas);
    CHECK(cache.find(variants_at_cost(2))->replicas != made.replicas);
    CHECK(cache.find(variants_at_cost(3)) == nullptr);
    CHECK(cache.find({}) == nullptr);
}

TEST_CASE("an attribution is for variants that are equal in every member") {
    const std::string longer(100, 'x');
    const VariantAutoscaling one("ns", "variant", "model", "deployment", "A100", 1, "kind");
    const std::vector<VariantAutoscaling> others = {
        {"n", "svariant", "model", "deployment", "A100", 1, "kind"},
        {"ns", "variantm", "odel", "deployment", "A100", 1, "kind"},
        {"ns", "variant", "modeld", "eployment", "A100", 1, "kind"},
        {"ns", "variant", "model", "Deployment", "A100", 1, "kind"},
        {"ns", "variant", "model", "deployment", "A10", 1, "0kind"},
        {"ns", "variant", "model", "deployment", "A100", 2, "kind"},
        {"ns", "variant", "model", "deployment", "A100", 1, "Kind"},
        {"ns", "variant", longer, "deployment", "A100", 1, "kind"},
        {"nS", "variant", "model", "deployment", "A100", 1, "kind"},
        {}};
    AttributionCache cache;
    cache.add({{one, others[7]}, std::make_shared<const ModelReplicas>(), {}});
    const auto is_kept = [&](const std::vector<VariantAutoscaling>& variants) {
        return cache.find(variants) != nullptr;
    };
    CHECK(is_kept({one, others[7]}));
    CHECK_FALSE(is_kept({others[7], one}));
    CHECK_FALSE(is_kept({one}));
    CHECK_FALSE(is_kept({one, others[7], {}}));
    CHECK_FALSE(is_kept({}));
    for (std::size_t i = 0; i < others.size(); ++i) {
        CAPTURE(i);
        CHECK_FALSE(is_kept({others[i], others[7]}));
        CHECK(is_kept({one, others[i]}) == (i == 7));
    }
    cache.add({{}, std::make_shared<const ModelReplicas>(), {}});
    CHECK(is_kept({}));
}

TEST_CASE("a limited number of attributions is kept, and destroyed with the entry") {
    std::weak_ptr<const ModelReplicas> first;
    {
        AttributionCache cache;
        for (int i = 0; i <= AttributionCache::max_attributions; ++i)
            cache.add(attribution_at_cost(i));
        for (int i = 0; i < AttributionCache::max_attributions; ++i)
            CHECK(cache.find(variants_at_cost(i)) != nullptr);
        CHECK(cache.find(variants_at_cost(AttributionCache::max_attributions)) == nullptr);
        first = cache.find(variants_at_cost(0))->replicas;
        CHECK_FALSE(first.expired());
    }
    CHECK(first.expired());
}

TEST_CASE("threads that add attributions concurrently lose none and exceed no bound") {
    for (int round = 0; round < 200; ++round) {
        AttributionCache cache;
        std::vector<std::thread> threads;
        for (int thread = 0; thread < 3; ++thread)
            threads.emplace_back([&cache, thread] {
                cache.add(attribution_at_cost(thread));
                cache.add(attribution_at_cost(thread + 10));
            });
        for (std::thread& thread : threads)
            thread.join();
        int kept = 0;
        for (const int cost : {0, 1, 2, 10, 11, 12})
            if (const Attribution* const found = cache.find(variants_at_cost(cost))) {
                CHECK(found->variants.front().cost == cost);
                ++kept;
            }
        CHECK(kept == AttributionCache::max_attributions);
    }
}

TEST_CASE("attributions take no more of a cache's bound than a half, and only what entries leave") {
    AttributionBudget budget;
    CHECK_FALSE(budget.take(1)); // Without a bound there is no room.
    budget.set_room(1600, 0);
    CHECK(budget.take(800));
    CHECK_FALSE(budget.take(1));
    CHECK(budget.used() == 800);
    CHECK(budget.bytes_for_entries(1600) == 800);
    budget.give_back(800);
    CHECK(budget.bytes_for_entries(1600) == 1600);
    budget.set_room(1600, 1600); // Full, but for a sixteenth.
    CHECK(budget.take(100));
    CHECK_FALSE(budget.take(1));
    budget.set_room(1600, 10'000);
    CHECK_FALSE(budget.take(1)); // More is used than there is room.
}
