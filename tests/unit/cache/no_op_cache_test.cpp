// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/cache/no_op_cache.hpp"

#include "support/cache_entries.hpp"

#include <catch2/catch_all.hpp>

using namespace wva_metrics;
using namespace std::chrono_literals;
using test_support::at;
using test_support::make_entry;

TEST_CASE("a no-op cache keeps nothing and counts every look-up as a miss") {
    NoOpCache cache;
    const CacheKeyView key = optimizer_key("ns", "v");
    cache.insert_or_assign(key, make_entry(at(0s)));
    CHECK(cache.size() == 0);
    CHECK(cache.find(key, at(0s)) == nullptr);
    CHECK_FALSE(cache.visit(key, at(0s), [](const CacheEntry&) { FAIL("unexpected entry"); }));
    CHECK(cache.stats().misses == 2);
    CHECK(cache.stats().lookups() == 2);
    CHECK(cache.stats().hit_rate() == 0.0);
    CHECK(cache.stats().insertions == 0);
}

TEST_CASE("a no-op cache has nothing to remove") {
    NoOpCache cache{CacheConfig{}};
    cache.insert_or_assign(optimizer_key("ns", "v"), make_entry(at(0s)));
    CHECK_FALSE(cache.erase(optimizer_key("ns", "v")));
    CHECK(cache.erase_prefix("allocation:") == 0);
    CHECK(cache.erase_expired(at(1h)) == 0);
    cache.clear();
    CHECK(cache.size() == 0);
    CHECK(cache.stats().invalidations == 0);
}
