// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/cache/sharded_cache.hpp"

#include "support/counted_entry.hpp"

#include <catch2/catch_all.hpp>

#include <atomic>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

using namespace wva_metrics;
using test_support::CountedCache;
using test_support::CountedEntry;

namespace {

const TimePoint now{};
const CacheKeyView wanted = optimizer_key("ns", "wanted");

struct Fixture {
    std::atomic<int> living{0};
    CountedCache cache{{100'000, 100'000'000}, 1};

    void insert(const CacheKeyView& key) {
        cache.insert_or_assign(key, std::make_shared<const CountedEntry>(living));
    }
    void insert_many(int count) {
        for (int i = 0; i < count; ++i) {
            const std::string name = std::to_string(i);
            insert(replica_key({"ns" + name, name}));
        }
    }
    int held() const { return static_cast<int>(cache.size()); }
};

} // namespace

TEST_CASE("an entry stays until its visitor returns, whatever the visitor does to the cache") {
    struct Change {
        const char* name;
        std::function<void(Fixture&)> make;
    };
    const std::vector<Change> changes = {
        {"erase", [](Fixture& f) { f.cache.erase(wanted); }},
        {"replace", [](Fixture& f) { f.insert(wanted); }},
        {"clear", [](Fixture& f) { f.cache.clear(); }},
        {"prefix", [](Fixture& f) { f.cache.erase_prefix("allocation:ns/"); }},
        {"part of a prefix", [](Fixture& f) { f.cache.erase_prefix("allocation:ns/wan"); }},
        {"no room",
         [](Fixture& f) {
             f.cache.set_limits({1, 1});
         }},
        {"growth, then erase",
         [](Fixture& f) {
             f.insert_many(1000);
             f.cache.erase(wanted);
         }},
        {"erase, and others with it",
         [](Fixture& f) {
             f.cache.erase(wanted);
             for (int i = 0; i < 5; ++i) {
                 f.insert_many(100);
                 f.cache.erase_prefix("");
             }
         }},
    };
    for (const Change& change : changes) {
        CAPTURE(change.name);
        Fixture fixture;
        fixture.insert(wanted);
        CHECK(fixture.cache.visit(wanted, now, [&](const CountedEntry& entry) {
            change.make(fixture);
            fixture.cache.erase_expired(now);
            // A nested visit, which ends before the outer one.
            fixture.cache.visit(wanted, now, [](const CountedEntry&) {});
            fixture.cache.erase_expired(now);
            CHECK(entry.is_intact());
            CHECK(fixture.living >= 1);
        }));
        fixture.cache.erase_expired(now);
        CHECK(fixture.living == fixture.held());
        fixture.cache.clear();
        CHECK(fixture.living == 0);
    }
}

TEST_CASE("a visitor that throws ends its visit") {
    Fixture fixture;
    fixture.insert(wanted);
    const auto fail = [](const CountedEntry&) { throw std::runtime_error("refused"); };
    CHECK_THROWS_AS(fixture.cache.visit(wanted, now, fail), std::runtime_error);
    CHECK(fixture.cache.stats().hits == 1);
    fixture.cache.clear();
    CHECK(fixture.living == 0);
}

TEST_CASE("an entry is destroyed without a lock, so its destructor may call the cache") {
    Fixture fixture;
    int called = 0;
    const auto insert_calling = [&] {
        fixture.cache.insert_or_assign(wanted,
                                       std::make_shared<const CountedEntry>(fixture.living, 0, [&] {
                                           called += fixture.cache.size() < 1000;
                                           fixture.insert(optimizer_key("ns", "other"));
                                       }));
    };
    insert_calling();
    fixture.cache.clear();
    CHECK(called == 1);
    insert_calling();
    fixture.cache.erase(wanted);
    fixture.cache.erase_expired(now);
    CHECK(called == 2);
    for (int i = 0; i < 100; ++i)
        insert_calling();
    CHECK(called > 50);
    fixture.cache.set_limits({1, 1}); // The same holds for entries that are not kept.
    insert_calling();
    fixture.cache.erase_expired(now);
    CHECK(called == 103);
}

TEST_CASE(
    "replaced and removed entries are destroyed during later changes, before there are many") {
    Fixture fixture;
    fixture.insert_many(100);
    for (int i = 0; i < 1000; ++i) {
        fixture.insert(wanted);
        REQUIRE(fixture.living <= fixture.held() + 50);
    }
    for (int i = 0; i < 1000; ++i) {
        fixture.insert(wanted);
        fixture.cache.erase(wanted);
        REQUIRE(fixture.living <= fixture.held() + 50);
    }
}

TEST_CASE("invalidated entries are destroyed during later insertions") {
    Fixture fixture;
    fixture.insert_many(2000);
    CHECK(fixture.cache.erase_prefix("replica:") == 2000);
    CHECK(fixture.held() == 0);
    for (int i = 0; i < 1000; ++i) {
        const std::string name = std::to_string(i % 20);
        fixture.insert(optimizer_key("ns", name));
    }
    CHECK(fixture.held() == 20);
    CHECK(fixture.living < 20 + 20 / 4 + 64 + 50);
    fixture.cache.erase_expired(now);
    CHECK(fixture.living == 20);
}
