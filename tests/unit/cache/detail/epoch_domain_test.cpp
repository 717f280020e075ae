// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/cache/detail/epoch_domain.hpp"

#include <catch2/catch_all.hpp>

#include <memory>
#include <thread>
#include <vector>

using wva_metrics::CacheStats;
using wva_metrics::detail::Retired;
using wva_metrics::detail::RetireList;
using wva_metrics::detail::EpochDomain;
using ThreadRecord = EpochDomain::ThreadRecord;
using ReadGuard = EpochDomain::ReadGuard;

namespace {

struct Counted {
    explicit Counted(int& counter) : destroyed(counter) {}
    Counted(const Counted&) = delete;
    Counted& operator=(const Counted&) = delete;
    ~Counted() { ++destroyed; }
    int& destroyed;
};

struct Fixture {
    int destroyed = 0;
    EpochDomain domain;
    RetireList retired;

    void add() {
        retired.reserve();
        retired.add(std::make_unique<Counted>(destroyed));
    }
    /// How many have been destroyed by now.
    int reclaim() {
        std::vector<Retired> free;
        retired.reclaim(domain, free);
        const int before = destroyed;
        const auto reclaimed = static_cast<int>(free.size());
        free.clear();
        CHECK(destroyed == before + reclaimed);
        return destroyed;
    }
    /// A section of a thread of its own, as far as others can see.
    std::unique_ptr<ReadGuard> open(ThreadRecord& cell) { return std::make_unique<ReadGuard>(domain, cell); }
    ThreadRecord& cell() { return *domain.cell(); }
};

} // namespace

TEST_CASE("where nobody reads, what was taken out is destroyed with the first collection") {
    Fixture fixture;
    CHECK(fixture.reclaim() == 0);
    for (int i = 0; i < 100; ++i)
        fixture.add();
    CHECK(fixture.retired.holds(100));
    CHECK_FALSE(fixture.retired.holds(101));
    CHECK(fixture.destroyed == 0);
    CHECK(fixture.reclaim() == 100);
    CHECK_FALSE(fixture.retired.holds(1));
}

TEST_CASE("what was taken out while somebody read is destroyed when he has left") {
    Fixture fixture;
    fixture.add();
    auto section = fixture.open(fixture.cell());
    CHECK(fixture.reclaim() == 0);
    CHECK(fixture.reclaim() == 0);
    section.reset();
    CHECK(fixture.reclaim() == 1);
}

TEST_CASE("a reader who has come later is not waited for") {
    Fixture fixture;
    fixture.add();
    auto section = fixture.open(fixture.cell());
    CHECK(fixture.reclaim() == 0);
    section.reset();
    section = fixture.open(fixture.cell());
    CHECK(fixture.reclaim() == 1);
    // But for what is taken out now.
    fixture.add();
    CHECK(fixture.reclaim() == 1);
    section.reset();
    CHECK(fixture.reclaim() == 2);
}

TEST_CASE("domain within each other last as long as the outermost") {
    Fixture fixture;
    auto outer = fixture.open(fixture.cell());
    fixture.add();
    auto inner = fixture.open(fixture.cell());
    CHECK(fixture.reclaim() == 0);
    inner.reset();
    CHECK(fixture.reclaim() == 0);
    inner = fixture.open(fixture.cell());
    inner.reset();
    CHECK(fixture.reclaim() == 0);
    outer.reset();
    CHECK(fixture.reclaim() == 1);
}

TEST_CASE("what is added while the first waits for a reader waits behind it") {
    Fixture fixture;
    auto section = fixture.open(fixture.cell());
    fixture.add();
    CHECK(fixture.reclaim() == 0);
    fixture.add();
    fixture.add();
    CHECK(fixture.retired.holds(2));
    CHECK_FALSE(fixture.retired.holds(3));
    CHECK(fixture.reclaim() == 0);
    section.reset();
    CHECK(fixture.reclaim() == 3);
}

TEST_CASE("every thread that reads is waited for, also one that came with a number used before") {
    Fixture fixture;
    // Cells of threads that have ended.
    ThreadRecord* first = nullptr;
    ThreadRecord* second = nullptr;
    std::thread([&] {
        first = &fixture.cell();
        std::thread([&] { second = &fixture.cell(); }).join();
    }).join();
    REQUIRE(first != second);
    auto one = fixture.open(*first);
    auto two = fixture.open(*second);
    fixture.add();
    CHECK(fixture.reclaim() == 0);
    one.reset();
    CHECK(fixture.reclaim() == 0);
    one = fixture.open(*first);
    two.reset();
    CHECK(fixture.reclaim() == 1);
    one.reset();
    std::thread([&] {
        auto section = fixture.open(fixture.cell());
        fixture.add();
        CHECK(fixture.reclaim() == 1);
    }).join();
    CHECK(fixture.reclaim() == 2);
}

TEST_CASE("whole arrays may be left to the retired, and what is there at its end is destroyed") {
    int destroyed = 0;
    struct Item {
        int* counter = nullptr;
        ~Item() {
            if (counter)
                ++*counter;
        }
    };
    {
        EpochDomain domain;
        RetireList retired;
        for (int round = 0; round < 2; ++round) {
            auto items = std::make_unique<Item[]>(3);
            for (int i = 0; i < 3; ++i)
                items[static_cast<std::size_t>(i)].counter = &destroyed;
            retired.reserve();
            retired.add(std::move(items));
            if (round == 1)
                break;
            std::vector<Retired> free;
            retired.reclaim(domain, free);
            free.clear();
            CHECK(destroyed == 3);
        }
    }
    CHECK(destroyed == 6);
}

TEST_CASE("look-ups are counted over all threads, also those that have ended") {
    Fixture fixture;
    for (int i = 0; i < 3; ++i)
        std::thread([&] {
            ThreadRecord& cell = fixture.cell();
            ThreadRecord::count(cell.hits);
            ThreadRecord::count(cell.hits);
            ThreadRecord::count(cell.stale_hits);
        }).join();
    ThreadRecord::count(fixture.cell().misses);
    CacheStats stats;
    stats.hits = 1;
    fixture.domain.add_counters(stats);
    CHECK(stats.hits == 7);
    CHECK(stats.stale_hits == 3);
    CHECK(stats.misses == 1);
}
