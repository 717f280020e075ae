// SPDX-License-Identifier: Apache-2.0
//
// The allocations of a sharded cache, and its behaviour if one fails.
#include "wva_metrics/cache/sharded_cache.hpp"

#include "memory/allocations.hpp"
#include "support/counted_entry.hpp"

#include <catch2/catch_all.hpp>

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <new>
#include <string>
#include <vector>

using namespace wva_metrics;
using test_support::allocations;
using test_support::CountedCache;
using test_support::CountedEntry;

namespace {

const TimePoint now{};
constexpr int entries = 300;

struct Fixture {
    std::atomic<int> living{0};
    CountedCache cache{{500, 10'000'000}, 1};

    Fixture() {
        for (int i = 0; i < entries; ++i)
            insert(space_of(i), name_of(i));
    }
    static std::string space_of(int i) { return "namespace " + std::to_string(i % 16); }
    static std::string name_of(int i) { return "a name that needs memory " + std::to_string(i); }

    std::shared_ptr<const CountedEntry> make() {
        return std::make_shared<const CountedEntry>(living);
    }
    void insert(const std::string& space, const std::string& name) {
        cache.insert_or_assign(CacheKeyView{EntryKind::replica, space, name}, make());
    }
    /// The number of entries, by looking up each key, also those that a test adds.
    std::size_t found() {
        std::size_t count = 0;
        for (int i = 0; i < 2 * entries; ++i) {
            const std::string space = space_of(i);
            const std::string name = name_of(i);
            count += cache.find(CacheKeyView{EntryKind::replica, space, name}, now) != nullptr;
            count += cache.find(CacheKeyView{EntryKind::optimizer, name, name}, now) != nullptr;
        }
        return count;
    }
    void check_counters() {
        const CacheStats stats = cache.stats();
        CHECK(found() == cache.size());
        CHECK(stats.bytes >= stats.entries * sizeof(CountedEntry));
        CHECK(stats.insertions == stats.entries + replaced + stats.evictions + stats.invalidations);
        cache.erase_expired(now);
        CHECK(living == static_cast<int>(cache.size()));
    }
    std::uint64_t replaced = 0;
};

/// Runs the change repeatedly, each time on a new cache and with one more successful allocation,
/// until it does not fail. Returns the number of its allocations.
int fail_everywhere(const std::function<void(Fixture&)>& prepare,
                    const std::function<void(Fixture&)>& change) {
    for (int succeed = 0;; ++succeed) {
        CAPTURE(succeed);
        Fixture fixture;
        if (prepare)
            prepare(fixture);
        bool failed = false;
        allocations.allowed = succeed;
        try {
            change(fixture);
        } catch (const std::bad_alloc&) {
            failed = true;
        }
        allocations.allowed = -1;
        fixture.check_counters();
        if (!failed)
            return succeed;
        // The cache works as before the failure.
        change(fixture);
        fixture.check_counters();
        fixture.cache.clear();
        CHECK(fixture.living == 0);
        fixture.insert("ns", "name");
        CHECK(fixture.cache.size() == 1);
    }
}

} // namespace

TEST_CASE("a look-up allocates nothing") {
    Fixture fixture;
    const std::string space = Fixture::space_of(1);
    const std::string name = Fixture::name_of(1);
    const CacheKeyView key{EntryKind::replica, space, name};
    const auto cell = fixture.cache.cell(key);
    const int before = allocations.count;
    for (int i = 0; i < 100; ++i) {
        fixture.cache.find(key, now);
        fixture.cache.find(optimizer_key("none", name), now);
        fixture.cache.visit(key, now, [](const CountedEntry&) {});
        fixture.cache.find(*cell, now);
        fixture.cache.visit(*cell, now, [](const CountedEntry&) {});
    }
    CHECK(allocations.count == before);
    CHECK(fixture.cache.stats().hits == 400);
}

TEST_CASE("if an allocation fails, nothing is lost, nothing leaks and the counters are right") {
    const auto insert_new = [](Fixture& fixture) {
        const std::string name = Fixture::name_of(entries);
        const auto entry = fixture.make();
        // The first key of a new namespace.
        fixture.cache.insert_or_assign(CacheKeyView{EntryKind::optimizer, name, name}, entry);
    };
    const auto replace = [](Fixture& fixture) {
        const auto entry = fixture.make();
        const std::string space = Fixture::space_of(7);
        const std::string name = Fixture::name_of(7);
        fixture.cache.insert_or_assign(CacheKeyView{EntryKind::replica, space, name}, entry);
        ++fixture.replaced;
    };
    SECTION("an insertion into a new namespace, which needs another array of generations") {
        CHECK(fail_everywhere({}, insert_new) >= 4);
    }
    SECTION("insertions, until the table grows and an entry is evicted") {
        fail_everywhere({}, [](Fixture& fixture) {
            for (int i = entries; i < 2 * entries; ++i) {
                const std::string space = Fixture::space_of(i);
                const std::string name = Fixture::name_of(i);
                const CacheKeyView key{EntryKind::replica, space, name};
                if (fixture.cache.find(key, now) == nullptr)
                    fixture.cache.insert_or_assign(key, fixture.make());
            }
        });
    }
    SECTION("a replacement") {
        CHECK(fail_everywhere({}, replace) >= 1);
    }
    SECTION("removals by key, by part of a prefix, by prefix") {
        fail_everywhere({}, [](Fixture& fixture) {
            const std::string space = Fixture::space_of(7);
            const std::string name = Fixture::name_of(7);
            fixture.cache.erase(CacheKeyView{EntryKind::replica, space, name});
            fixture.cache.erase_prefix("replica:namespace 3/a name");
            fixture.cache.erase_prefix("replica:namespace 5/");
            fixture.cache.erase_prefix("replica:namespace");
        });
    }
    SECTION("the sweep of stale nodes") {
        fail_everywhere([](Fixture& fixture) { fixture.cache.erase_prefix("replica:namespace 1"); },
                        [](Fixture& fixture) { fixture.cache.erase_expired(now); });
    }
    SECTION("removals while a reader is waited for") {
        fail_everywhere({}, [](Fixture& fixture) {
            const std::string space = Fixture::space_of(2);
            const std::string name = Fixture::name_of(2);
            fixture.cache.visit(CacheKeyView{EntryKind::replica, space, name}, now,
                                [&](const CountedEntry& entry) {
                                    fixture.cache.erase_prefix("replica:namespace 1/a");
                                    fixture.cache.erase_expired(now);
                                    fixture.cache.erase_prefix("replica:namespace 2/a");
                                    fixture.cache.erase_expired(now);
                                    CHECK(entry.is_intact());
                                });
            fixture.cache.erase_expired(now);
        });
    }
    SECTION("smaller limits") {
        fail_everywhere({}, [](Fixture& fixture) { fixture.cache.set_limits({10, 10}); });
    }
    SECTION("cells, of keys with an entry and without") {
        // Two new cells with their keys and the place for them, and a node with a place for its cell.
        CHECK(fail_everywhere({}, [](Fixture& fixture) {
                  const std::string space = Fixture::space_of(7);
                  const std::string name = Fixture::name_of(7);
                  const CacheKeyView known{EntryKind::replica, space, name};
                  const auto cell = fixture.cache.cell(known);
                  const auto empty = fixture.cache.cell(optimizer_key(space, name));
                  const bool is_same =
                      fixture.cache.find(*cell, now) == fixture.cache.find(known, now);
                  CHECK(is_same);
                  CHECK_FALSE(fixture.cache.find(*empty, now));
              }) >= 7);
    }
    SECTION("a change of an entry that has a cell") {
        std::shared_ptr<CountedCache::Cell> cell;
        fail_everywhere(
            [&](Fixture& fixture) {
                cell = fixture.cache.cell(replica_key({Fixture::space_of(7), Fixture::name_of(7)}));
            },
            [&](Fixture& fixture) {
                replace(fixture);
                const bool is_same =
                    fixture.cache.find(*cell, now) == fixture.cache.find(cell->key(), now);
                CHECK(is_same);
            });
    }
    SECTION("clear") {
        CHECK(fail_everywhere({}, [](Fixture& fixture) { fixture.cache.clear(); }) >= 2);
    }
}
