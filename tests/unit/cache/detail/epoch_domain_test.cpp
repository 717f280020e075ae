// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/cache/detail/epoch_domain.hpp"

#include <catch2/catch_all.hpp>

#include <memory>
#include <thread>
#include <vector>

using wva_metrics::CacheStats;
using wva_metrics::detail::EpochDomain;
using wva_metrics::detail::Retired;
using wva_metrics::detail::RetireList;
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

struct EpochFixture {
    int destroyed = 0;
    EpochDomain domain;
    RetireList retired;

    void add() {
        retired.reserve();
        retired.add(std::make_unique<Counted>(destroyed));
    }
    /// Reclaims; returns the number of objects destroyed so far.
    int reclaim() {
        std::vector<Retired> freed;
        retired.reclaim(domain, freed);
        const int before = destroyed;
        const auto reclaimed = static_cast<int>(freed.size());
        freed.clear();
        CHECK(destroyed == before + reclaimed);
        return destroyed;
    }
    /// A read section as if of the record's thread.
    std::unique_ptr<ReadGuard> enter(ThreadRecord& record) {
        return std::make_unique<ReadGuard>(domain, record);
    }
    ThreadRecord& record() { return *domain.thread_record(); }
};

} // namespace

TEST_CASE("without readers, retired objects are destroyed by the first reclamation") {
    EpochFixture fixture;
    CHECK(fixture.reclaim() == 0);
    for (int i = 0; i < 100; ++i)
        fixture.add();
    CHECK(fixture.retired.is_reclaim_due(100));
    CHECK_FALSE(fixture.retired.is_reclaim_due(101));
    CHECK(fixture.destroyed == 0);
    CHECK(fixture.reclaim() == 100);
    CHECK_FALSE(fixture.retired.is_reclaim_due(1));
}

TEST_CASE("an object retired during a read section is destroyed after the section") {
    EpochFixture fixture;
    fixture.add();
    auto guard = fixture.enter(fixture.record());
    CHECK(fixture.reclaim() == 0);
    CHECK(fixture.reclaim() == 0);
    guard.reset();
    CHECK(fixture.reclaim() == 1);
}

TEST_CASE("a later reader is not waited for") {
    EpochFixture fixture;
    fixture.add();
    auto guard = fixture.enter(fixture.record());
    CHECK(fixture.reclaim() == 0);
    guard.reset();
    guard = fixture.enter(fixture.record());
    CHECK(fixture.reclaim() == 1);
    // Objects that are retired now do wait for it.
    fixture.add();
    CHECK(fixture.reclaim() == 1);
    guard.reset();
    CHECK(fixture.reclaim() == 2);
}

TEST_CASE("nested read sections last as long as the outermost") {
    EpochFixture fixture;
    auto outer = fixture.enter(fixture.record());
    fixture.add();
    auto inner = fixture.enter(fixture.record());
    CHECK(fixture.reclaim() == 0);
    inner.reset();
    CHECK(fixture.reclaim() == 0);
    inner = fixture.enter(fixture.record());
    inner.reset();
    CHECK(fixture.reclaim() == 0);
    outer.reset();
    CHECK(fixture.reclaim() == 1);
}

TEST_CASE("objects added while others wait for a reader wait behind them") {
    EpochFixture fixture;
    auto guard = fixture.enter(fixture.record());
    fixture.add();
    CHECK(fixture.reclaim() == 0);
    fixture.add();
    fixture.add();
    CHECK(fixture.retired.is_reclaim_due(2));
    CHECK_FALSE(fixture.retired.is_reclaim_due(3));
    CHECK(fixture.reclaim() == 0);
    guard.reset();
    CHECK(fixture.reclaim() == 3);
}

TEST_CASE("every reading thread is waited for, also one whose record was used before") {
    EpochFixture fixture;
    // Records of threads that have ended.
    ThreadRecord* first = nullptr;
    ThreadRecord* second = nullptr;
    std::thread([&] {
        first = &fixture.record();
        std::thread([&] { second = &fixture.record(); }).join();
    }).join();
    REQUIRE(first != second);
    auto one = fixture.enter(*first);
    auto two = fixture.enter(*second);
    fixture.add();
    CHECK(fixture.reclaim() == 0);
    one.reset();
    CHECK(fixture.reclaim() == 0);
    one = fixture.enter(*first);
    two.reset();
    CHECK(fixture.reclaim() == 1);
    one.reset();
    std::thread([&] {
        auto guard = fixture.enter(fixture.record());
        fixture.add();
        CHECK(fixture.reclaim() == 1);
    }).join();
    CHECK(fixture.reclaim() == 2);
}

TEST_CASE("a retire list takes arrays, and destroys what is left at its end") {
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
            std::vector<Retired> freed;
            retired.reclaim(domain, freed);
            freed.clear();
            CHECK(destroyed == 3);
        }
    }
    CHECK(destroyed == 6);
}

TEST_CASE("look-ups of all threads are counted, also of ended ones") {
    EpochFixture fixture;
    for (int i = 0; i < 3; ++i)
        std::thread([&] {
            ThreadRecord& record = fixture.record();
            ThreadRecord::count(record.hits);
            ThreadRecord::count(record.hits);
            ThreadRecord::count(record.stale_hits);
        }).join();
    ThreadRecord::count(fixture.record().misses);
    CacheStats stats;
    stats.hits = 1;
    fixture.domain.add_counters(stats);
    CHECK(stats.hits == 7);
    CHECK(stats.stale_hits == 3);
    CHECK(stats.misses == 1);
}
