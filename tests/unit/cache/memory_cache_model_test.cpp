// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/cache/memory_cache.hpp"

#include "support/cache_entries.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <cstddef>
#include <random>
#include <string>
#include <vector>

using namespace wva_metrics;
using namespace std::chrono_literals;
using test_support::at;
using test_support::counted_bytes;
using test_support::make_entry;

namespace {

/// The contract of `MemoryCache` in the simplest code: a list from the least to the most recently
/// used entry.
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
        if (detail::LruTable::bytes(key, *entry) > max_bytes_ || max_entries_ == 0) {
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
            stats.bytes += detail::LruTable::bytes(item.key, *item.entry);
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

TEST_CASE("a memory cache behaves exactly like a plain list") {
    const unsigned seed = GENERATE(1U, 2U, 3U, 4U);
    std::mt19937 random(seed);
    const std::size_t one = counted_bytes<MemoryCache>(make_entry(at(0s)));
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
            // Looking up from the least to the most recently used leaves the order unchanged.
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
