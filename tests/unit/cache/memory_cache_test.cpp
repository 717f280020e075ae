// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/cache/memory_cache.hpp"

#include "support/cache_entries.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <optional>
#include <random>
#include <string>
#include <vector>

using namespace wva_metrics;
using namespace std::chrono_literals;
using test_support::at;
using test_support::make_entry;

namespace {

constexpr std::size_t plenty = 1'000'000;
constexpr Duration tick(1);

void insert(MemoryCache& cache, const CacheKeyView& key) {
    cache.insert_or_assign(key, make_entry(at(0s)));
}

bool holds(MemoryCache& cache, const CacheKeyView& key) {
    return cache.find(key, at(1s)) != nullptr;
}

/// What MemoryCache promises, in the plainest code there is: a list from the oldest use to the
/// newest.
class ModelCache {
public:
    ModelCache(std::size_t max_entries, std::size_t max_bytes)
        : max_entries_(max_entries), max_bytes_(max_bytes) {}

    struct Item {
        CacheKey key;
        CacheEntryPtr entry;
    };

    CacheEntryPtr find(const CacheKeyView& key, TimePoint now) {
        const auto found = position(key);
        if (found == items.end()) {
            ++stats_.misses;
            return nullptr;
        }
        if (now > found->entry->keep_until()) {
            items.erase(found);
            ++stats_.misses;
            ++stats_.expirations;
            return nullptr;
        }
        ++(now <= found->entry->fresh_until() ? stats_.hits : stats_.stale_hits);
        const Item item = *found;
        items.erase(found);
        items.push_back(item);
        return item.entry;
    }

    void insert_or_assign(const CacheKeyView& key, const CacheEntryPtr& entry) {
        if (const auto found = position(key); found != items.end())
            items.erase(found);
        ++stats_.insertions;
        if (entry->bytes() > max_bytes_ || max_entries_ == 0) {
            ++stats_.evictions;
            return;
        }
        items.push_back({CacheKey(key), entry});
        while (items.size() > max_entries_ || stats().bytes > max_bytes_) {
            items.erase(items.begin());
            ++stats_.evictions;
        }
    }

    bool erase(const CacheKeyView& key) {
        const auto found = position(key);
        if (found == items.end())
            return false;
        items.erase(found);
        ++stats_.invalidations;
        return true;
    }

    std::size_t erase_prefix(const std::string& prefix) {
        const std::size_t erased = std::erase_if(items, [&](const Item& item) {
            return to_string(CacheKeyView(item.key)).compare(0, prefix.size(), prefix) == 0;
        });
        stats_.invalidations += erased;
        return erased;
    }

    std::size_t erase_expired(TimePoint now) {
        const std::size_t erased =
            std::erase_if(items, [&](const Item& item) { return now > item.entry->keep_until(); });
        stats_.expirations += erased;
        return erased;
    }

    void clear() {
        stats_.invalidations += items.size();
        items.clear();
    }

    CacheStats stats() const {
        CacheStats stats = stats_;
        stats.entries = items.size();
        stats.bytes = 0;
        for (const Item& item : items)
            stats.bytes += item.entry->bytes();
        return stats;
    }

    std::vector<Item> items;

private:
    std::vector<Item>::iterator position(const CacheKeyView& key) {
        return std::find_if(items.begin(), items.end(),
                            [&](const Item& item) { return CacheKeyView(item.key) == key; });
    }

    std::size_t max_entries_;
    std::size_t max_bytes_;
    CacheStats stats_;
};

void require_same(const CacheStats& actual, const CacheStats& expected) {
    REQUIRE(actual.hits == expected.hits);
    REQUIRE(actual.stale_hits == expected.stale_hits);
    REQUIRE(actual.misses == expected.misses);
    REQUIRE(actual.insertions == expected.insertions);
    REQUIRE(actual.evictions == expected.evictions);
    REQUIRE(actual.expirations == expected.expirations);
    REQUIRE(actual.invalidations == expected.invalidations);
    REQUIRE(actual.entries == expected.entries);
    REQUIRE(actual.bytes == expected.bytes);
}

} // namespace

TEST_CASE("what was inserted is found, and an unknown key is a miss") {
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

TEST_CASE("expired entries are removed on request and only they") {
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
    // By now the old one would be gone; and to a caller whose clock reading is older, the new one
    // is not too old either.
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
    // The visitor calls the cache it is called from: no lock may be held.
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
    const std::size_t one = make_entry(at(0s), 1s, 1s, 1000)->bytes();
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

TEST_CASE("an entry that alone is larger than the bound is not kept and pushes nothing else out") {
    const std::size_t one = make_entry(at(0s))->bytes();
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
    MemoryCache cache({plenty, make_entry(at(0s))->bytes()});
    insert(cache, optimizer_key("ns", "a"));
    CHECK(holds(cache, optimizer_key("ns", "a")));
    insert(cache, optimizer_key("ns", "b"));
    CHECK(holds(cache, optimizer_key("ns", "b")));
    CHECK(cache.size() == 1);
}

TEST_CASE("a bound of zero keeps nothing") {
    MemoryCache no_entries({0, plenty});
    MemoryCache no_bytes({10, 0});
    for (MemoryCache* cache : {&no_entries, &no_bytes}) {
        insert(*cache, optimizer_key("ns", "a"));
        CHECK(cache->size() == 0);
        CHECK(cache->stats().bytes == 0);
    }
}

TEST_CASE("no entry at all changes nothing") {
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

TEST_CASE("invalidating a namespace removes its models and no other's, slashes and all") {
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

TEST_CASE("a scan meets every entry of a cache larger than one step of it") {
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

TEST_CASE("an emptied cache can be filled again") {
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

TEST_CASE("the bounds can come from the configuration") {
    CacheConfig config;
    config.max_entries = 1;
    MemoryCache cache(config);
    insert(cache, optimizer_key("ns", "a"));
    insert(cache, optimizer_key("ns", "b"));
    CHECK(cache.size() == 1);
}

TEST_CASE("a memory cache does exactly what a plain list does") {
    const unsigned seed = GENERATE(1U, 2U, 3U, 4U);
    std::mt19937 random(seed);
    const std::size_t one = make_entry(at(0s))->bytes();
    const std::size_t max_entries = 2 + random() % 8;
    const std::size_t max_bytes = one * (4 + random() % 16);
    MemoryCache cache({max_entries, max_bytes});
    ModelCache model(max_entries, max_bytes);

    const std::vector<std::string> names = {"a", "b/a", "%", ""};
    Duration now = 0s;
    for (int step = 0; step < 20'000; ++step) {
        now += std::chrono::milliseconds(random() % 3 == 0 ? random() % 1500 : 0);
        const TimePoint moment = at(0s) + now;
        const CacheKeyView key{static_cast<EntryKind>(random() % 2), names[random() % 2],
                               names[random() % names.size()]};
        CAPTURE(seed, step);
        switch (const auto action = random() % 100; action / 10) {
        case 0:
        case 1:
        case 2:
        case 3: {
            const CacheEntryPtr entry =
                make_entry(moment, std::chrono::milliseconds(random() % 4000),
                           std::chrono::milliseconds(random() % 8000), random() % (2 * one));
            cache.insert_or_assign(key, entry);
            model.insert_or_assign(key, entry);
            break;
        }
        case 4:
        case 5: {
            const CacheEntryPtr expected = model.find(key, moment);
            const bool found = cache.visit(
                key, moment, [&](const CacheEntry& entry) { REQUIRE(&entry == expected.get()); });
            REQUIRE(found == (expected != nullptr));
            break;
        }
        case 9:
            if (action == 90) {
                cache.clear();
                model.clear();
            } else if (action < 94) {
                REQUIRE(cache.erase(key) == model.erase(key));
            } else if (action < 97) {
                std::string prefix = to_string(key);
                prefix.resize(random() % (prefix.size() + 1));
                REQUIRE(cache.erase_prefix(prefix) == model.erase_prefix(prefix));
            } else {
                REQUIRE(cache.erase_expired(moment) == model.erase_expired(moment));
            }
            break;
        default:
            REQUIRE(cache.find(key, moment) == model.find(key, moment));
        }
        require_same(cache.stats(), model.stats());
        REQUIRE(cache.size() == model.items.size());
        if (step % 100 == 0) {
            // Looked up from the oldest use to the newest, which leaves the order as it was.
            const std::vector<ModelCache::Item> items = model.items;
            for (const ModelCache::Item& item : items)
                REQUIRE(cache.find(item.key, moment) == model.find(item.key, moment));
        }
    }
    const CacheStats stats = cache.stats();
    CHECK(stats.hits > 100);
    CHECK(stats.stale_hits > 100);
    CHECK(stats.evictions > 500);
    CHECK(stats.expirations > 50);
    CHECK(stats.invalidations > 50);
}

TEST_CASE("after other limits a cache holds what one made with them would hold") {
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
        const CacheLimits limits(random() % 1200, random() % (2 * cache.stats().bytes));
        cache.set_limits(limits);

        std::size_t bytes = 0;
        std::size_t kept = 0;
        while (kept < std::min(limits.max_entries, by_use.size())) {
            const std::size_t next = by_use[by_use.size() - kept - 1].second->bytes();
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

TEST_CASE("other limits hold for what is kept from then on") {
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
    cache.set_limits({0, plenty});
    insert(cache, optimizer_key("ns", "f"));
    CHECK(cache.size() == 0);
    CHECK(cache.stats().bytes == 0);

    const std::size_t one = make_entry(at(0s))->bytes();
    for (const std::size_t bound : {2 * one, 3 * one, one, plenty, std::size_t{0}}) {
        cache.set_limits({plenty, bound});
        for (const char* name : {"a", "b", "c", "d"})
            insert(cache, optimizer_key("ns", name));
        CHECK(cache.stats().bytes == std::min(bound, 4 * one));
    }
}
