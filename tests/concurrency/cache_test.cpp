// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/cache/memory_cache.hpp"
#include "wva_metrics/cache/sharded_cache.hpp"

#include "support/cache_entries.hpp"
#include "support/run_threads.hpp"

#include <catch2/catch_all.hpp>

#include <atomic>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

using namespace wva_metrics;
using namespace std::chrono_literals;
using test_support::at;
using test_support::make_entry;
using test_support::run_threads;

namespace {

CacheKeyView replica_key_of(std::string_view model) {
    return {EntryKind::replica, "ns", model};
}

} // namespace

TEMPLATE_TEST_CASE("a cache used by several threads keeps its bounds and its counters right", "",
                   MemoryCache, ShardedCache) {
    constexpr std::size_t max_entries = 64;
    constexpr int operations = 10'000;
    const std::size_t max_bytes = 64 * make_entry(at(0s))->bytes();
    TestType cache({max_entries, max_bytes});
    std::atomic<std::uint64_t> lookups{0};
    std::atomic<std::uint64_t> insertions{0};
    std::atomic<bool> broken{false};

    run_threads(4, [&](int thread) {
        std::mt19937 random(static_cast<unsigned>(thread));
        for (int i = 0; i < operations; ++i) {
            const std::string name = std::to_string(random() % 200);
            const CacheKeyView key = replica_key_of(name);
            const TimePoint now = at(std::chrono::milliseconds(i));
            switch (random() % 16) {
            case 0:
                cache.erase(key);
                break;
            case 1:
                cache.erase_prefix("replica:ns/1" + name);
                break;
            case 2:
                cache.erase_expired(now);
                break;
            case 3:
                if (i % 500 == 0)
                    cache.clear();
                break;
            case 4:
            case 5:
            case 6:
            case 7:
                cache.insert_or_assign(key, make_entry(now, 100ms, 300ms, random() % 500));
                ++insertions;
                break;
            case 8:
                if (cache.stats().entries > max_entries + 16 || cache.size() > max_entries + 16)
                    broken = true;
                break;
            case 9:
            case 10:
                ++lookups;
                cache.visit(key, now, [&](const CacheEntry& entry) {
                    if (entry.is_expired(now) || !entry.template get<Availability>())
                        broken = true;
                });
                break;
            default:
                ++lookups;
                if (const CacheEntryPtr entry = cache.find(key, now);
                    entry && entry->is_expired(now))
                    broken = true;
            }
        }
    });

    CHECK_FALSE(broken);
    const CacheStats stats = cache.stats();
    CHECK(stats.lookups() == lookups);
    CHECK(stats.insertions == insertions);
    CHECK(stats.entries == cache.size());
    CHECK(stats.bytes <= max_bytes + 16);
    CHECK(stats.hits > 0);
    // An entry that is no longer stored was replaced, evicted, expired or invalidated.
    CHECK(stats.entries + stats.evictions + stats.expirations + stats.invalidations <= insertions);
    cache.clear();
    CHECK(cache.size() == 0);
    CHECK(cache.stats().bytes == 0);
}

TEMPLATE_TEST_CASE("an answer stored while the old one expires in another thread is never lost", "",
                   MemoryCache, ShardedCache) {
    constexpr int rounds = 5'000;
    TestType cache(CacheLimits(1000, 10'000'000));
    std::atomic<int> lost{0};
    std::atomic<int> writers{2};
    const TimePoint now = at(10s);

    run_threads(4, [&](int thread) {
        if (thread < 2) {
            const std::string name = std::to_string(thread);
            const CacheKeyView key = replica_key_of(name);
            for (int i = 0; i < rounds; ++i) {
                cache.insert_or_assign(key, make_entry(at(0s), 1s, 2s));
                const CacheEntryPtr newer = make_entry(at(9s), 30s, 60s);
                cache.insert_or_assign(key, newer);
                if (cache.find(key, now) != newer)
                    ++lost;
            }
            --writers;
            return;
        }
        while (writers > 0) {
            if (thread == 2)
                cache.erase_expired(now);
            else
                for (const char* name : {"0", "1"})
                    cache.find(replica_key_of(name), now);
        }
    });
    CHECK(lost == 0);
}

TEST_CASE("a scan removes all matching entries, whatever is inserted meanwhile") {
    MemoryCache cache;
    constexpr int entries = 5'000;
    for (int i = 0; i < entries; ++i) {
        const std::string name = std::to_string(i);
        cache.insert_or_assign(CacheKeyView{EntryKind::optimizer, "old", name}, make_entry(at(0s)));
    }
    std::atomic<bool> scanned{false};
    std::size_t erased = 0;
    run_threads(2, [&](int thread) {
        if (thread == 0) {
            erased = cache.erase_prefix("allocation:old/");
            scanned = true;
            return;
        }
        for (int i = 0; !scanned && i < 100'000; ++i) {
            const std::string name = std::to_string(i % 1000);
            cache.insert_or_assign(CacheKeyView{EntryKind::optimizer, "new", name},
                                   make_entry(at(0s)));
            cache.find(CacheKeyView{EntryKind::optimizer, "old", name}, at(1s));
        }
    });
    CHECK(erased == entries);
    CHECK(cache.erase_prefix("allocation:old/") == 0);
}
