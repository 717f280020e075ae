// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/cache/cache_limits.hpp"
#include "wva_metrics/cache/memory_cache.hpp"
#include "wva_metrics/cache/sharded_cache.hpp"

#include "support/cache_entries.hpp"
#include "support/rejected_config.hpp"

#include <catch2/catch_all.hpp>

#include <cstddef>

using namespace wva_metrics;
using Catch::Matchers::EndsWith;
using test_support::rejection_of;

TEMPLATE_TEST_CASE("a cache that could keep nothing is rejected with all problems", "", MemoryCache,
                   ShardedCache) {
    CHECK_THAT(rejection_of<TestType>(CacheLimits(0, 0)),
               EndsWith("cache: max_entries must be positive; to keep nothing use NoOpCache; "
                        "max_bytes must be positive; to keep nothing use NoOpCache"));
    CHECK_THAT(rejection_of<TestType>(CacheLimits(0, 1)),
               !Catch::Matchers::ContainsSubstring("max_bytes"));
    CHECK_THAT(rejection_of<TestType>(CacheLimits(1, 0)),
               !Catch::Matchers::ContainsSubstring("max_entries"));
}

TEMPLATE_TEST_CASE("limits that a constructor refuses cannot be set later, and change nothing", "",
                   MemoryCache, ShardedCache) {
    TestType cache(CacheLimits(100, 1'000'000));
    cache.insert_or_assign(optimizer_key("ns", "a"), test_support::make_entry(TimePoint()));
    for (const CacheLimits refused : {CacheLimits(0, 1), CacheLimits(1, 0), CacheLimits(0, 0)})
        CHECK_THROWS_AS(cache.set_limits(refused), ResultError);
    CHECK(cache.size() == 1);
}

TEMPLATE_TEST_CASE("a cache with valid limits is made in place", "", MemoryCache, ShardedCache) {
    const auto made = TestType::make(CacheLimits(1, 1));
    REQUIRE(made.has_value());
    CHECK(made->size() == 0);
    CHECK(TestType::make().has_value());
}

TEST_CASE("a sharded cache is made with the given number of shards") {
    CHECK(ShardedCache::make({1, 1}, 4)->shard_count() == 4);
}
