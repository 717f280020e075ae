// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/cache/detail/retire_list.hpp"

#include <catch2/catch_all.hpp>

#include <cstddef>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

using wva_metrics::CacheStats;
using wva_metrics::detail::EpochDomain;
using wva_metrics::detail::RetireList;
using ThreadRecord = EpochDomain::ThreadRecord;
using ReadSection = EpochDomain::ReadSection;
using Visit = EpochDomain::Visit;

namespace {

struct RetiredNode {
    explicit RetiredNode(int& counter) : destroyed(counter) {}
    RetiredNode(const RetiredNode&) = delete;
    RetiredNode& operator=(const RetiredNode&) = delete;
    ~RetiredNode() { ++destroyed; }
    static std::size_t bytes() { return 10; }

    int& destroyed;
    RetiredNode* older = nullptr;
};

struct EpochFixture {
    int destroyed = 0;
    EpochDomain domain;
    RetireList<RetiredNode> retired;

    const RetiredNode* add() {
        auto* const node = new RetiredNode(destroyed);
        retired.added().add(*node);
        return node;
    }
    /// Reclaims; returns the number of nodes destroyed so far.
    int reclaim() {
        std::mutex mutex;
        std::unique_lock lock(mutex);
        retired.reclaim(domain, lock);
        return destroyed;
    }
    /// A read section as if of the record's thread.
    std::unique_ptr<ReadSection> enter(ThreadRecord& record) {
        return std::make_unique<ReadSection>(domain, record);
    }
    /// A visit as if of the record's thread.
    std::unique_ptr<Visit> visit(ThreadRecord& record, const RetiredNode* node) {
        const auto section = enter(record);
        auto visit = std::make_unique<Visit>(record);
        visit->keep(node);
        return visit;
    }
    ThreadRecord& record() { return *domain.thread_record(); }
};

} // namespace

TEST_CASE("without readers, retired objects are destroyed by the first reclamation") {
    EpochFixture fixture;
    CHECK(fixture.reclaim() == 0);
    for (int i = 0; i < 100; ++i)
        fixture.add();
    CHECK(fixture.retired.added().nodes() == 100);
    CHECK(fixture.retired.bytes() == 1000);
    CHECK(fixture.destroyed == 0);
    CHECK(fixture.reclaim() == 100);
    CHECK(fixture.retired.added().nodes() == 0);
    CHECK(fixture.retired.bytes() == 0);
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

TEST_CASE("a visited node is kept until its visit ends, and no other node is") {
    EpochFixture fixture;
    const RetiredNode* const node = fixture.add();
    fixture.add();
    auto visit = fixture.visit(fixture.record(), node);
    CHECK(fixture.record().is_visiting());
    CHECK(fixture.reclaim() == 1);
    fixture.add();
    CHECK(fixture.reclaim() == 2);
    CHECK(fixture.retired.bytes() == 0); // It does not count as waiting for a search.
    // Searches during the visit change nothing.
    fixture.enter(fixture.record());
    CHECK(fixture.reclaim() == 2);
    visit.reset();
    CHECK_FALSE(fixture.record().is_visiting());
    CHECK(fixture.reclaim() == 3);
}

TEST_CASE("a visit may end on another thread") {
    EpochFixture fixture;
    ThreadRecord& here = fixture.record();
    auto visit = fixture.visit(here, fixture.add());
    std::thread([&] {
        auto other = fixture.visit(fixture.record(), fixture.add());
        CHECK(fixture.reclaim() == 0);
        visit.reset();
        CHECK_FALSE(here.is_visiting());
        CHECK(fixture.record().is_visiting());
        CHECK(fixture.reclaim() == 1);
    }).join();
    CHECK(fixture.reclaim() == 2);
}

TEST_CASE("objects added while others wait for a reader wait behind them") {
    EpochFixture fixture;
    auto guard = fixture.enter(fixture.record());
    fixture.add();
    CHECK(fixture.reclaim() == 0);
    fixture.add();
    fixture.add();
    CHECK(fixture.retired.added().nodes() == 2);
    CHECK(fixture.retired.bytes() == 30);
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
        EpochFixture fixture;
        for (int round = 0; round < 2; ++round) {
            auto items = std::make_unique<Item[]>(3);
            for (int i = 0; i < 3; ++i)
                items[static_cast<std::size_t>(i)].counter = &destroyed;
            fixture.retired.added().objects().reserve();
            fixture.retired.added().objects().add(std::move(items));
            CHECK(fixture.retired.added().has_objects());
            if (round == 1)
                break;
            fixture.reclaim();
            CHECK(destroyed == 3);
        }
        fixture.add();
        const auto section = fixture.enter(fixture.record());
        fixture.reclaim();
        CHECK(destroyed == 3);
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
