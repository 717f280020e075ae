// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/cache/memory_cache.hpp"

#include "support/cache_entries.hpp"

#include <catch2/catch_all.hpp>

#include <cstddef>
#include <string>

using namespace wva_metrics;
using namespace std::chrono_literals;
using test_support::at;
using test_support::holds;
using test_support::insert;
using test_support::make_entry;
using test_support::plenty;
using test_support::tick;

TEST_CASE("an inserted entry is found, and an unknown key is a miss") {
    MemoryCache cache;
    const CacheEntryPtr entry = make_entry(at(0s));
    cache.insert_or_assign(optimizer_key("ns", "v"), entry);
    CHECK(cache.find(optimizer_key("ns", "v"), at(1s)) == entry);
    CHECK(cache.find(optimizer_key("ns", "other"), at(1s)) == nullptr);
    CHECK(cache.find(optimizer_key("other", "v"), at(1s)) == nullptr);
    CHECK(cache.find(CacheKeyView{EntryKind::replica, "ns", "v"}, at(1s)) == nullptr);
    CHECK(cache.stats().hits == 1);
    CHECK(cache.stats().misses == 3);
    CHECK(cache.size() == 1);
}

TEST_CASE("an entry is a hit at exactly its TTL and stale one tick later") {
    MemoryCache cache;
    const CacheKeyView key = optimizer_key("ns", "v");
    cache.insert_or_assign(key, make_entry(at(0s), 30s, 60s));
    CHECK(cache.find(key, at(30s)) != nullptr);
    CHECK(cache.stats().hits == 1);
    CHECK(cache.find(key, at(30s) + tick) != nullptr);
    CHECK(cache.stats().hits == 1);
    CHECK(cache.stats().stale_hits == 1);
    CHECK(cache.stats().misses == 0);
}

TEST_CASE(
    "an entry is served at exactly its last moment and removed by the look-up one tick later") {
    MemoryCache cache;
    const CacheKeyView key = optimizer_key("ns", "v");
    cache.insert_or_assign(key, make_entry(at(0s), 30s, 60s));
    CHECK(cache.find(key, at(60s)) != nullptr);
    CHECK(cache.size() == 1);
    CHECK(cache.find(key, at(60s) + tick) == nullptr);
    CHECK(cache.size() == 0);
    const CacheStats stats = cache.stats();
    CHECK(stats.expirations == 1);
    CHECK(stats.misses == 1);
    CHECK(stats.stale_hits == 1);
    CHECK(stats.bytes == 0);
}

TEST_CASE("only expired entries are removed by erase_expired") {
    MemoryCache cache;
    cache.insert_or_assign(optimizer_key("ns", "short"), make_entry(at(0s), 10s, 20s));
    cache.insert_or_assign(optimizer_key("ns", "long"), make_entry(at(0s), 10s, 40s));
    CHECK(cache.erase_expired(at(20s)) == 0);
    CHECK(cache.erase_expired(at(20s) + tick) == 1);
    CHECK(cache.find(optimizer_key("ns", "long"), at(20s) + tick) != nullptr);
    CHECK(cache.stats().expirations == 1);
}

TEST_CASE("a newer entry is not lost to the expiry of the one it replaced") {
    MemoryCache cache;
    const CacheKeyView key = optimizer_key("ns", "v");
    cache.insert_or_assign(key, make_entry(at(0s), 10s, 20s));
    const CacheEntryPtr newer = make_entry(at(25s), 10s, 20s);
    cache.insert_or_assign(key, newer);
    // The old entry would be expired by now. The new one is valid also for a caller whose clock
    // reading is older.
    CHECK(cache.erase_expired(at(26s)) == 0);
    CHECK(cache.find(key, at(26s)) == newer);
    CHECK(cache.find(key, at(5s)) == newer);
    CHECK(cache.size() == 1);
    CHECK(cache.stats().insertions == 2);
    CHECK(cache.stats().expirations == 0);
}

TEST_CASE("an answer stored while its predecessor is being read stays") {
    MemoryCache cache;
    const CacheKeyView key = optimizer_key("ns", "v");
    cache.insert_or_assign(key, make_entry(at(0s)));
    const CacheEntryPtr newer = make_entry(at(1s));
    // The visitor calls the cache that calls it, so no lock may be held.
    CHECK(cache.visit(key, at(2s), [&](const CacheEntry& entry) {
        cache.insert_or_assign(key, newer);
        CHECK(entry.collected_at() == at(0s));
    }));
    CHECK(cache.find(key, at(2s)) == newer);
}

TEST_CASE("a reader keeps what it found, whatever happens to the cache") {
    MemoryCache cache;
    const CacheKeyView key = optimizer_key("ns", "v");
    cache.insert_or_assign(key, make_entry(at(0s), 30s, 60s, 100));
    const CacheEntryPtr found = cache.find(key, at(1s));
    cache.clear();
    REQUIRE(found != nullptr);
    CHECK(found->get<Availability>()->message == std::string(100, 'x'));
}

TEST_CASE("a null entry is ignored") {
    MemoryCache cache;
    insert(cache, optimizer_key("ns", "a"));
    cache.insert_or_assign(optimizer_key("ns", "a"), nullptr);
    CHECK(holds(cache, optimizer_key("ns", "a")));
    CHECK(cache.stats().insertions == 1);
}

TEST_CASE("invalidating one key removes that entry and no other") {
    MemoryCache cache;
    insert(cache, optimizer_key("ns", "a"));
    insert(cache, optimizer_key("ns", "b"));
    CHECK(cache.erase(optimizer_key("ns", "a")));
    CHECK_FALSE(cache.erase(optimizer_key("ns", "a")));
    CHECK_FALSE(holds(cache, optimizer_key("ns", "a")));
    CHECK(holds(cache, optimizer_key("ns", "b")));
    CHECK(cache.stats().invalidations == 1);
}

TEST_CASE("invalidating a namespace removes its models and no others, also if names have slashes") {
    MemoryCache cache;
    insert(cache, replica_key({"a", "b"}));
    insert(cache, replica_key({"a", "meta-llama/x"}));
    insert(cache, replica_key({"a", "meta-llama/y"}));
    insert(cache, replica_key({"a/meta-llama", "x"}));
    insert(cache, replica_key({"ab", "c"}));
    insert(cache, optimizer_key("a", "b"));
    CHECK(cache.erase_prefix("replica:a/meta-") == 2);
    CHECK(holds(cache, replica_key({"a", "b"})));
    CHECK(cache.erase_prefix(key_prefix(EntryKind::replica, "a")) == 1);
    CHECK(holds(cache, replica_key({"a/meta-llama", "x"})));
    CHECK(holds(cache, replica_key({"ab", "c"})));
    CHECK(holds(cache, optimizer_key("a", "b")));
    CHECK(cache.erase_prefix("replica:") == 2);
    CHECK(cache.erase_prefix("") == 1);
    CHECK(cache.size() == 0);
    CHECK(cache.stats().invalidations == 6);
}

TEST_CASE("a scan of several steps visits every entry") {
    MemoryCache cache;
    for (int i = 0; i < 3000; ++i) {
        const std::string name = std::to_string(i);
        cache.insert_or_assign(optimizer_key("ns", name),
                               make_entry(at(0s), 1s, i % 3 == 0 ? 5s : 50s));
    }
    CHECK(cache.erase_expired(at(10s)) == 1000);
    CHECK(cache.erase_prefix("allocation:ns/2") == 742);
    CHECK(cache.size() == 1258);
    cache.clear();
    CHECK(cache.size() == 0);
    CHECK(cache.stats().bytes == 0);
    CHECK(cache.stats().invalidations == 2000);
}

TEST_CASE("a cleared cache can be filled again") {
    MemoryCache cache({2, plenty});
    for (int round = 0; round < 3; ++round) {
        insert(cache, optimizer_key("ns", "a"));
        insert(cache, optimizer_key("ns", "b"));
        insert(cache, optimizer_key("ns", "c"));
        CHECK(cache.size() == 2);
        CHECK_FALSE(holds(cache, optimizer_key("ns", "a")));
        cache.clear();
        CHECK(cache.size() == 0);
        CHECK(cache.stats().bytes == 0);
    }
}
