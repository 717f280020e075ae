// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/cache/sharded_cache.hpp"

#include "support/cache_entries.hpp"

#include <catch2/catch_all.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

using namespace wva_metrics;
using namespace std::chrono_literals;
using test_support::at;
using test_support::counted_bytes;
using test_support::make_entry;
using test_support::plenty;
using test_support::tick;

namespace {

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

TEST_CASE("a sharded cache finds, replaces and removes like a plain one") {
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
    CHECK(stats.bytes >= 100 * counted_bytes<ShardedCache>(make_entry(at(0s))));
    CHECK(stats.hit_rate() == Catch::Approx(1.0 / 3));
}

TEST_CASE("all shards together keep at least the limit, and at most one entry per shard more") {
    const std::size_t bound = GENERATE(10U, 100U, 1000U);
    ShardedCache cache({bound, plenty}, 16);
    fill(cache, 20'000);
    CHECK(cache.size() >= bound);
    CHECK(cache.size() < bound + 16);
    CHECK(cache.stats().evictions == 20'000 - cache.size());
}

TEST_CASE("all shards together keep to the bound on bytes") {
    const std::size_t one =
        counted_bytes<ShardedCache>(make_entry(at(0s)), optimizer_key("ns", "variant-1000"));
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

TEST_CASE("new limits are divided among the shards like the first ones") {
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

TEST_CASE("entries expire on time, also at both ends of the clock") {
    const TimePoint first = TimePoint::min();
    const TimePoint last = TimePoint::max();
    const std::vector<TimePoint> times = {
        first,       first + tick,       first + 10s, TimePoint() - 5s, TimePoint() - tick,
        TimePoint(), TimePoint() + tick, at(0s),      last - 10s,       last - tick,
        last};
    for (const TimePoint now : times) {
        ShardedCache cache({plenty, plenty}, 1);
        std::size_t expired = 0;
        for (std::size_t i = 0; i < times.size(); ++i) {
            const std::string name = std::to_string(i);
            cache.insert_or_assign(
                optimizer_key("ns", name),
                std::make_shared<const CacheEntry>(Availability{}, times[i], times[i], times[i]));
            expired += now > times[i];
        }
        CHECK(cache.erase_expired(now) == expired);
        CHECK(cache.size() == times.size() - expired);
        for (std::size_t i = 0; i < times.size(); ++i) {
            const std::string name = std::to_string(i);
            CHECK((cache.find(optimizer_key("ns", name), now) != nullptr) == (now <= times[i]));
        }
    }
}

TEST_CASE("a bound below any entry keeps nothing, and the largest bound keeps everything") {
    const std::size_t none = 1;
    const std::size_t all = ~std::size_t{0};
    for (const auto& [entries, bytes] : {std::pair(none, none), std::pair(all, none)}) {
        ShardedCache cache({all, all}, 4);
        cache.set_limits({entries, bytes});
        cache.insert_or_assign(optimizer_key("ns", "a"), make_entry(at(0s)));
        CHECK(cache.size() == 0);
        CHECK(cache.stats().evictions == 1);
        cache.set_limits({all, all});
        cache.insert_or_assign(optimizer_key("ns", "a"), make_entry(at(0s)));
        CHECK(cache.size() == 1);
        cache.set_limits({entries, bytes});
        CHECK(cache.size() == 0);
        CHECK(cache.stats().bytes == 0);
        CHECK(cache.stats().evictions == 2);
    }
}

TEST_CASE("a key that is too long is not kept, and one that just fits is") {
    ShardedCache cache;
    const std::string long_namespace(0x7fff, 'n');
    const std::string long_name(0xffff, 'm');
    const CacheKeyView fits = optimizer_key(long_namespace, long_name);
    cache.insert_or_assign(fits, make_entry(at(0s)));
    CHECK(cache.find(fits, at(0s)) != nullptr);
    const std::string longer_namespace = long_namespace + 'n';
    const std::string longer_name = long_name + 'm';
    for (const CacheKeyView& key :
         {optimizer_key(longer_namespace, "a"), optimizer_key("a", longer_name)}) {
        cache.insert_or_assign(key, make_entry(at(0s)));
        CHECK(cache.find(key, at(0s)) == nullptr);
        CHECK_FALSE(cache.erase(key));
    }
    CHECK(cache.erase_prefix("allocation:" + longer_namespace + "/") == 0);
    CHECK(cache.erase_prefix("allocation:" + long_namespace + "/" + long_name + "m") == 0);
    CHECK(cache.erase_prefix("allocation:" + long_namespace + "/" + long_name) == 1);
    CHECK(cache.stats().insertions == 3);
    CHECK(cache.stats().evictions == 2);
}
