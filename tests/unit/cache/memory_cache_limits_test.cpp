// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/cache/memory_cache.hpp"

#include "support/cache_entries.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <cstddef>
#include <random>
#include <string>
#include <utility>
#include <vector>

using namespace wva_metrics;
using namespace std::chrono_literals;
using test_support::at;
using test_support::counted_bytes;
using test_support::holds;
using test_support::insert;
using test_support::make_entry;
using test_support::plenty;

TEST_CASE("a cache is bounded by its number of entries, and the least recently used goes first") {
    MemoryCache cache({3, plenty});
    insert(cache, optimizer_key("ns", "a"));
    insert(cache, optimizer_key("ns", "b"));
    insert(cache, optimizer_key("ns", "c"));
    CHECK(holds(cache, optimizer_key("ns", "a")));
    cache.visit(optimizer_key("ns", "b"), at(1s), [](const CacheEntry&) {});
    insert(cache, optimizer_key("ns", "d"));
    CHECK_FALSE(holds(cache, optimizer_key("ns", "c")));
    insert(cache, optimizer_key("ns", "b"));
    insert(cache, optimizer_key("ns", "e"));
    CHECK_FALSE(holds(cache, optimizer_key("ns", "a")));
    CHECK(holds(cache, optimizer_key("ns", "b")));
    CHECK(holds(cache, optimizer_key("ns", "d")));
    CHECK(holds(cache, optimizer_key("ns", "e")));
    CHECK(cache.size() == 3);
    CHECK(cache.stats().evictions == 2);
}

TEST_CASE("a cache is bounded by its bytes") {
    const std::size_t one = counted_bytes<MemoryCache>(make_entry(at(0s), 1s, 1s, 1000));
    MemoryCache cache({plenty, 3 * one});
    for (const char* name : {"a", "b", "c"})
        cache.insert_or_assign(optimizer_key("ns", name), make_entry(at(0s), 30s, 60s, 1000));
    CHECK(cache.stats().bytes == 3 * one);
    CHECK(cache.stats().evictions == 0);
    cache.insert_or_assign(optimizer_key("ns", "d"), make_entry(at(0s), 30s, 60s, 1500));
    CHECK(cache.size() == 2);
    CHECK(cache.stats().evictions == 2);
    CHECK(cache.stats().bytes <= 3 * one);
    CHECK(holds(cache, optimizer_key("ns", "c")));
    CHECK(holds(cache, optimizer_key("ns", "d")));
}

TEST_CASE("an entry that alone is larger than the bound is not kept and evicts no other") {
    const std::size_t one = counted_bytes<MemoryCache>(make_entry(at(0s)));
    MemoryCache cache({plenty, 2 * one});
    insert(cache, optimizer_key("ns", "a"));
    insert(cache, optimizer_key("ns", "b"));
    cache.insert_or_assign(optimizer_key("ns", "a"), make_entry(at(0s), 30s, 60s, 10 * one));
    CHECK_FALSE(holds(cache, optimizer_key("ns", "a")));
    CHECK(holds(cache, optimizer_key("ns", "b")));
    cache.insert_or_assign(optimizer_key("ns", "new"), make_entry(at(0s), 30s, 60s, 10 * one));
    CHECK(cache.size() == 1);
    CHECK(cache.stats().bytes == one);
    CHECK(cache.stats().insertions == 4);
    CHECK(cache.stats().evictions == 2);
}

TEST_CASE("an entry that is exactly as large as the bound is kept") {
    MemoryCache cache({plenty, counted_bytes<MemoryCache>(make_entry(at(0s)))});
    insert(cache, optimizer_key("ns", "a"));
    CHECK(holds(cache, optimizer_key("ns", "a")));
    insert(cache, optimizer_key("ns", "b"));
    CHECK(holds(cache, optimizer_key("ns", "b")));
    CHECK(cache.size() == 1);
}

TEST_CASE("a bound below any entry keeps nothing") {
    MemoryCache cache({10, 1});
    insert(cache, optimizer_key("ns", "a"));
    CHECK(cache.size() == 0);
    CHECK(cache.stats().bytes == 0);
}

TEST_CASE("the bounds can come from the configuration") {
    CacheConfig config;
    config.max_entries = 1;
    MemoryCache cache(config);
    insert(cache, optimizer_key("ns", "a"));
    insert(cache, optimizer_key("ns", "b"));
    CHECK(cache.size() == 1);
}

TEST_CASE("new limits keep the entries that a cache constructed with them would hold") {
    std::mt19937 random(7);
    for (int round = 0; round < 50; ++round) {
        MemoryCache cache({plenty, plenty});
        std::vector<std::pair<std::string, CacheEntryPtr>> by_use;
        for (int i = 0; i < 1000; ++i) {
            const auto name = std::to_string(i);
            const CacheEntryPtr entry = make_entry(at(0s), 30s, 60s, random() % 300);
            cache.insert_or_assign(optimizer_key("ns", name), entry);
            by_use.emplace_back(name, entry);
        }
        for (int i = 0; i < 100; ++i) {
            const auto used =
                by_use.begin() + static_cast<std::ptrdiff_t>(random() % by_use.size());
            cache.find(optimizer_key("ns", used->first), at(1s));
            std::rotate(used, used + 1, by_use.end());
        }
        const CacheLimits limits(1 + random() % 1200, 1 + random() % (2 * cache.stats().bytes));
        cache.set_limits(limits);

        std::size_t bytes = 0;
        std::size_t kept = 0;
        while (kept < std::min(limits.max_entries, by_use.size())) {
            const std::size_t next =
                counted_bytes<MemoryCache>(by_use[by_use.size() - kept - 1].second);
            if (bytes + next > limits.max_bytes)
                break;
            bytes += next;
            ++kept;
        }
        const CacheStats stats = cache.stats();
        CHECK(stats.entries == kept);
        CHECK(stats.bytes == bytes);
        CHECK(stats.evictions == by_use.size() - kept);
        for (std::size_t i = 0; i < by_use.size(); ++i)
            CHECK(holds(cache, optimizer_key("ns", by_use[i].first)) ==
                  (i >= by_use.size() - kept));
    }
}

TEST_CASE("new limits apply to later insertions") {
    MemoryCache cache({2, plenty});
    for (const char* name : {"a", "b"})
        insert(cache, optimizer_key("ns", name));
    cache.set_limits({3, plenty});
    for (const char* name : {"c", "d"})
        insert(cache, optimizer_key("ns", name));
    CHECK(cache.size() == 3);
    cache.set_limits({1, plenty});
    insert(cache, optimizer_key("ns", "e"));
    CHECK(cache.size() == 1);
    cache.set_limits({plenty, 1});
    insert(cache, optimizer_key("ns", "f"));
    CHECK(cache.size() == 0);
    CHECK(cache.stats().bytes == 0);

    const std::size_t one = counted_bytes<MemoryCache>(make_entry(at(0s)));
    for (const std::size_t bound : {2 * one, 3 * one, one, plenty, std::size_t{1}}) {
        cache.set_limits({plenty, bound});
        for (const char* name : {"a", "b", "c", "d"})
            insert(cache, optimizer_key("ns", name));
        CHECK(cache.stats().bytes == std::min(bound / one, std::size_t{4}) * one);
    }
}
