// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/cache/sharded_cache.hpp"

#include "support/cache_entries.hpp"

#include <catch2/catch_all.hpp>

#include <string>
#include <vector>

using namespace wva_metrics;
using namespace std::chrono_literals;
using test_support::at;
using test_support::make_entry;

namespace {

constexpr std::size_t plenty = 100'000'000;

void fill(ShardedCache& cache, int entries) {
    for (int i = 0; i < entries; ++i) {
        const std::string name = "variant-" + std::to_string(i);
        cache.insert_or_assign(optimizer_key("ns", name), make_entry(at(0s)));
    }
}

} // namespace

TEST_CASE("the number of shards is rounded up to a power of two") {
    CHECK(ShardedCache().shard_count() == 8);
    CHECK(ShardedCache({10, 10}, 0).shard_count() == 1);
    CHECK(ShardedCache({10, 10}, 1).shard_count() == 1);
    CHECK(ShardedCache({10, 10}, 5).shard_count() == 8);
    CHECK(ShardedCache({10, 10}, 8).shard_count() == 8);
    CHECK(ShardedCache({10, 10}, ~std::size_t{0}).shard_count() == 4096);
}

TEST_CASE("a sharded cache finds, replaces and removes as a plain one does") {
    const std::size_t shards = GENERATE(1U, 2U, 16U);
    ShardedCache cache({plenty, plenty}, shards);
    fill(cache, 1000);
    CHECK(cache.size() == 1000);
    for (int i = 0; i < 1000; ++i) {
        const std::string name = "variant-" + std::to_string(i);
        REQUIRE(cache.find(optimizer_key("ns", name), at(1s)) != nullptr);
    }
    const CacheEntryPtr newer = make_entry(at(1s), 30s, 200s);
    cache.insert_or_assign(optimizer_key("ns", "variant-7"), newer);
    CHECK(cache.size() == 1000);
    const CacheEntry* seen = nullptr;
    CHECK(cache.visit(optimizer_key("ns", "variant-7"), at(1s),
                      [&](const CacheEntry& entry) { seen = &entry; }));
    CHECK(seen == newer.get());
    CHECK(cache.erase(optimizer_key("ns", "variant-1")));
    CHECK_FALSE(cache.erase(optimizer_key("ns", "variant-1")));
    CHECK(cache.erase_prefix("allocation:ns/variant-9") == 111);
    CHECK(cache.erase_expired(at(100s)) == 1000 - 1 - 111 - 1);
    CHECK(cache.size() == 1);
    cache.clear();
    CHECK(cache.size() == 0);
}

TEST_CASE("the statistics of all shards are summed") {
    ShardedCache cache({plenty, plenty}, 4);
    fill(cache, 100);
    for (int i = 0; i < 150; ++i) {
        const std::string name = "variant-" + std::to_string(i);
        cache.find(optimizer_key("ns", name), at(30s));
        cache.find(optimizer_key("ns", name), at(31s));
    }
    const CacheStats stats = cache.stats();
    CHECK(stats.hits == 100);
    CHECK(stats.stale_hits == 100);
    CHECK(stats.misses == 100);
    CHECK(stats.insertions == 100);
    CHECK(stats.entries == 100);
    CHECK(stats.bytes == 100 * make_entry(at(0s))->bytes());
    CHECK(stats.hit_rate() == Catch::Approx(1.0 / 3));
}

TEST_CASE(
    "all shards together keep no less than was asked for, and one entry per shard more at most") {
    const std::size_t bound = GENERATE(10U, 100U, 1000U);
    ShardedCache cache({bound, plenty}, 16);
    fill(cache, 20'000);
    CHECK(cache.size() >= bound);
    CHECK(cache.size() < bound + 16);
    CHECK(cache.stats().evictions == 20'000 - cache.size());
}

TEST_CASE("all shards together keep to the bound on bytes") {
    const std::size_t one = make_entry(at(0s))->bytes();
    ShardedCache cache({plenty, 64 * one}, 16);
    fill(cache, 5'000);
    CHECK(cache.size() == 64);
    CHECK(cache.stats().bytes == 64 * one);
    cache.insert_or_assign(optimizer_key("ns", "large"), make_entry(at(0s), 30s, 60s, 5 * one));
    CHECK(cache.find(optimizer_key("ns", "large"), at(1s)) == nullptr);
}

TEST_CASE("similar keys spread evenly over the shards") {
    // With room for 200 entries per shard, 1600 keys on 16 shards would only be evicted if the
    // spread were bad.
    ShardedCache cache({16 * 200, plenty}, 16);
    fill(cache, 1600);
    CHECK(cache.stats().evictions == 0);
}

TEST_CASE("other limits are shared by the shards as the first ones were") {
    ShardedCache cache({plenty, plenty}, 4);
    fill(cache, 4000);
    cache.set_limits({402, plenty});
    CHECK(cache.size() == 404); // 101 each.
    fill(cache, 4000);
    CHECK(cache.size() == 404);
    cache.set_limits({plenty, plenty});
    fill(cache, 4000);
    CHECK(cache.size() == 4000);
}
