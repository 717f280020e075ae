// SPDX-License-Identifier: Apache-2.0
//
// What the cells of every cache have in common, and what those of a sharded cache cost.
#include "wva_metrics/cache/memory_cache.hpp"
#include "wva_metrics/cache/metrics_cache.hpp"
#include "wva_metrics/cache/no_op_cache.hpp"
#include "wva_metrics/cache/sharded_cache.hpp"

#include "support/cache_entries.hpp"

#include <catch2/catch_all.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

using namespace wva_metrics;
using namespace std::chrono_literals;
using test_support::at;
using test_support::make_entry;
using test_support::plenty;

static_assert(CellCache<MemoryCache>);
static_assert(CellCache<NoOpCache>);
static_assert(CellCache<ShardedCache>);

namespace {

const CacheKeyView celled{EntryKind::replica, "llm", "celled"};

/// What a look-up finds, in place and shared, which must be the same.
template <typename Cache, typename Where>
const CacheEntry* found_at(Cache& cache, Where&& where, TimePoint now = at(1s)) {
    const CacheEntry* visited = nullptr;
    const bool was_there =
        cache.visit(where, now, [&](const CacheEntry& entry) { visited = &entry; });
    CHECK(was_there == (visited != nullptr));
    CHECK(cache.find(where, now).get() == visited);
    return visited;
}

} // namespace

TEMPLATE_TEST_CASE("a cell finds what its key finds, whatever became of the entry", "", MemoryCache,
                   ShardedCache, NoOpCache) {
    struct Case {
        const char* name;
        void (*change)(TestType&);
    };
    static const CacheEntryPtr entry = make_entry(at(0s));
    // With others, in the same shard too: the last entry of a namespace takes its generation with it.
    const auto store = [](TestType& cache) {
        cache.insert_or_assign(celled, entry);
        for (int i = 0; i < 40; ++i)
            cache.insert_or_assign(replica_key({"llm", "beside" + std::to_string(i)}), entry);
    };
    const std::vector<Case> changes = {
        {"stored", store},
        {"replaced", [](TestType& cache) { cache.insert_or_assign(celled, make_entry(at(0s))); }},
        {"erased", [](TestType& cache) { cache.erase(celled); }},
        {"stored again", store},
        {"its namespace invalidated", [](TestType& cache) { cache.erase_prefix("replica:llm/"); }},
        {"stored after that", store},
        {"all of its kind invalidated", [](TestType& cache) { cache.erase_prefix("replica:"); }},
        {"stored once more", store},
        {"erased by a part of its name",
         [](TestType& cache) { cache.erase_prefix("replica:llm/c"); }},
        {"stored for the fifth time", store},
        {"others stored, so that tables grow",
         [](TestType& cache) {
             for (int i = 0; i < 3000; ++i)
                 cache.insert_or_assign(
                     optimizer_key("ns" + std::to_string(i % 40), "v" + std::to_string(i)),
                     make_entry(at(0s)));
         }},
        {"cleared", [](TestType& cache) { cache.clear(); }},
        {"another namespace stored, which gets its group",
         [](TestType& cache) {
             cache.insert_or_assign(replica_key({"x", "y"}), entry);
         }},
        {"stored after clear", store},
        {"expired ones erased", [](TestType& cache) { cache.erase_expired(at(1s)); }},
        {"evicted",
         [](TestType& cache) {
             cache.set_limits({1, plenty});
         }},
    };
    TestType cache;
    const auto cell = cache.cell(celled);
    REQUIRE(cell);
    CHECK(found_at(cache, *cell) == nullptr);
    for (const Case& step : changes) {
        CAPTURE(step.name);
        step.change(cache);
        CHECK(found_at(cache, *cell) == found_at(cache, celled));
        CHECK(found_at(cache, *cell, at(61s)) == nullptr);
        // One that is made now is as good.
        const auto late = cache.cell(celled);
        CHECK(found_at(cache, *late) == found_at(cache, celled));
    }
}

TEMPLATE_TEST_CASE("a look-up by cell counts as one by key", "", MemoryCache, ShardedCache,
                   NoOpCache) {
    TestType by_key;
    TestType by_cell;
    const auto cell = by_cell.cell(celled);
    for (TestType* const cache : {&by_key, &by_cell})
        cache->insert_or_assign(celled, make_entry(at(0s), 30s, 60s));
    for (const TimePoint now : {at(1s), at(31s), at(2s), at(61s), at(62s)}) {
        found_at(by_key, celled, now);
        found_at(by_cell, *cell, now);
    }
    CHECK(by_cell.stats().hits == by_key.stats().hits);
    CHECK(by_cell.stats().stale_hits == by_key.stats().stale_hits);
    CHECK(by_cell.stats().misses == by_key.stats().misses);
}

TEMPLATE_TEST_CASE("a cell may outlive its cache", "", MemoryCache, ShardedCache, NoOpCache) {
    auto cache = std::make_unique<TestType>();
    cache->insert_or_assign(celled, make_entry(at(0s)));
    auto cell = cache->cell(celled);
    const auto copy = cell;
    cache.reset();
    cell.reset();
    CHECK(copy.use_count() > 0);
}

TEST_CASE("all who ask a sharded cache for a key's cell get the same one") {
    ShardedCache cache;
    const auto cell = cache.cell(celled);
    CHECK(cache.cell(celled) == cell);
    CHECK(cache.cell(replica_key({"llm", "another"})) != cell);
}

TEST_CASE("a look-up by cell saves an entry from eviction, as one by key does") {
    const bool by_cell = GENERATE(true, false);
    CAPTURE(by_cell);
    ShardedCache cache({3, plenty}, 1);
    const auto cell = cache.cell(celled);
    for (const char* name : {"celled", "b", "c"})
        cache.insert_or_assign(replica_key({"llm", name}), make_entry(at(0s)));
    if (by_cell)
        CHECK(found_at(cache, *cell) != nullptr);
    else
        CHECK(found_at(cache, celled) != nullptr);
    // The mark stays with the key when the entry is replaced.
    cache.insert_or_assign(celled, make_entry(at(0s)));
    cache.insert_or_assign(replica_key({"llm", "d"}), make_entry(at(0s)));
    CHECK(found_at(cache, celled) != nullptr);
    CHECK(found_at(cache, replica_key({"llm", "b"})) == nullptr);
}

TEST_CASE("the cells of a sharded cache count, and are given back") {
    ShardedCache cache({plenty, 1'000'000}, 1);
    std::vector<std::shared_ptr<ShardedCache::Cell>> kept;
    const auto take = [&](int number) {
        return cache.cell(replica_key({"llm", "model-" + std::to_string(number)}));
    };
    int number = 0;
    for (auto cell = take(number); cell; cell = take(++number))
        kept.push_back(cell);
    CHECK(cache.stats().bytes > 1'000'000 / 5);
    CHECK(cache.stats().bytes <= 1'000'000 / 4);
    const std::size_t most = kept.size();
    CHECK(most > 500);

    SECTION("entries have the rest of the bound") {
        for (int i = 0; i < 10'000; ++i)
            cache.insert_or_assign(optimizer_key("llm", std::to_string(i)), make_entry(at(0s)));
        CHECK(cache.stats().bytes <= 1'000'000);
        CHECK(cache.stats().bytes > 990'000);
    }
    SECTION("a key that has a cell gets it also if there is no room") {
        CHECK(take(0) == kept[0]);
    }
    SECTION("when nobody keeps them") {
        for (const auto& cell : kept)
            cache.insert_or_assign(cell->key(), make_entry(at(0s)));
        const std::shared_ptr<ShardedCache::Cell> last = kept.back();
        const CacheKey key(last->key());
        kept.clear();
        const std::size_t before = cache.stats().bytes;
        cache.erase_expired(at(0s));
        CHECK(cache.stats().bytes < before - 200'000);
        // Their entries do not refer to them any more.
        for (int i = 0; i < 10; ++i)
            cache.insert_or_assign(replica_key({"llm", "model-" + std::to_string(i)}),
                                   make_entry(at(0s)));
        CHECK(cache.size() == most);
        CHECK(found_at(cache, *last) == found_at(cache, key));
        CHECK(take(number) != nullptr);
    }
    SECTION("when many are made and not kept") {
        kept.clear();
        for (int i = 0; i < 100'000; ++i)
            take(number + i);
        CHECK(cache.stats().bytes <= 1'000'000 / 4);
        int refused = 0;
        while (!take(-1))
            ++refused;
        CHECK(refused <= static_cast<int>(most));
    }
}
