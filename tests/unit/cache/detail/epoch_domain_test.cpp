// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/cache/detail/epoch_domain.hpp"

#include <catch2/catch_all.hpp>

#include <memory>
#include <thread>
#include <vector>

using wva_metrics::CacheStats;
using wva_metrics::detail::Garbage;
using wva_metrics::detail::Limbo;
using wva_metrics::detail::ReadSections;
using Cell = ReadSections::Cell;
using Section = ReadSections::Section;

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
    ReadSections sections;
    Limbo limbo;

    void add() {
        limbo.make_room();
        limbo.add(std::make_unique<Counted>(destroyed));
    }
    /// How many have been destroyed by now.
    int collect() {
        std::vector<Garbage> free;
        limbo.collect(sections, free);
        const int before = destroyed;
        const auto collected = static_cast<int>(free.size());
        free.clear();
        CHECK(destroyed == before + collected);
        return destroyed;
    }
    /// A section of a thread of its own, as far as others can see.
    std::unique_ptr<Section> open(Cell& cell) { return std::make_unique<Section>(sections, cell); }
    Cell& cell() { return *sections.cell(); }
};

} // namespace

TEST_CASE("where nobody reads, what was taken out is destroyed with the first collection") {
    Fixture fixture;
    CHECK(fixture.collect() == 0);
    for (int i = 0; i < 100; ++i)
        fixture.add();
    CHECK(fixture.limbo.holds(100));
    CHECK_FALSE(fixture.limbo.holds(101));
    CHECK(fixture.destroyed == 0);
    CHECK(fixture.collect() == 100);
    CHECK_FALSE(fixture.limbo.holds(1));
}

TEST_CASE("what was taken out while somebody read is destroyed when he has left") {
    Fixture fixture;
    fixture.add();
    auto section = fixture.open(fixture.cell());
    CHECK(fixture.collect() == 0);
    CHECK(fixture.collect() == 0);
    section.reset();
    CHECK(fixture.collect() == 1);
}

TEST_CASE("a reader who has come later is not waited for") {
    Fixture fixture;
    fixture.add();
    auto section = fixture.open(fixture.cell());
    CHECK(fixture.collect() == 0);
    section.reset();
    section = fixture.open(fixture.cell());
    CHECK(fixture.collect() == 1);
    // But for what is taken out now.
    fixture.add();
    CHECK(fixture.collect() == 1);
    section.reset();
    CHECK(fixture.collect() == 2);
}

TEST_CASE("sections within each other last as long as the outermost") {
    Fixture fixture;
    auto outer = fixture.open(fixture.cell());
    fixture.add();
    auto inner = fixture.open(fixture.cell());
    CHECK(fixture.collect() == 0);
    inner.reset();
    CHECK(fixture.collect() == 0);
    inner = fixture.open(fixture.cell());
    inner.reset();
    CHECK(fixture.collect() == 0);
    outer.reset();
    CHECK(fixture.collect() == 1);
}

TEST_CASE("what is added while the first waits for a reader waits behind it") {
    Fixture fixture;
    auto section = fixture.open(fixture.cell());
    fixture.add();
    CHECK(fixture.collect() == 0);
    fixture.add();
    fixture.add();
    CHECK(fixture.limbo.holds(2));
    CHECK_FALSE(fixture.limbo.holds(3));
    CHECK(fixture.collect() == 0);
    section.reset();
    CHECK(fixture.collect() == 3);
}

TEST_CASE("every thread that reads is waited for, also one that came with a number used before") {
    Fixture fixture;
    // Cells of threads that have ended.
    Cell* first = nullptr;
    Cell* second = nullptr;
    std::thread([&] {
        first = &fixture.cell();
        std::thread([&] { second = &fixture.cell(); }).join();
    }).join();
    REQUIRE(first != second);
    auto one = fixture.open(*first);
    auto two = fixture.open(*second);
    fixture.add();
    CHECK(fixture.collect() == 0);
    one.reset();
    CHECK(fixture.collect() == 0);
    one = fixture.open(*first);
    two.reset();
    CHECK(fixture.collect() == 1);
    one.reset();
    std::thread([&] {
        auto section = fixture.open(fixture.cell());
        fixture.add();
        CHECK(fixture.collect() == 1);
    }).join();
    CHECK(fixture.collect() == 2);
}

TEST_CASE("whole arrays may be left to the limbo, and what is there at its end is destroyed") {
    int destroyed = 0;
    struct Item {
        int* counter = nullptr;
        ~Item() {
            if (counter)
                ++*counter;
        }
    };
    {
        ReadSections sections;
        Limbo limbo;
        for (int round = 0; round < 2; ++round) {
            auto items = std::make_unique<Item[]>(3);
            for (int i = 0; i < 3; ++i)
                items[static_cast<std::size_t>(i)].counter = &destroyed;
            limbo.make_room();
            limbo.add(std::move(items));
            if (round == 1)
                break;
            std::vector<Garbage> free;
            limbo.collect(sections, free);
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
            Cell& cell = fixture.cell();
            Cell::count(cell.hits);
            Cell::count(cell.hits);
            Cell::count(cell.stale_hits);
        }).join();
    Cell::count(fixture.cell().misses);
    CacheStats stats;
    stats.hits = 1;
    fixture.sections.add_counters(stats);
    CHECK(stats.hits == 7);
    CHECK(stats.stale_hits == 3);
    CHECK(stats.misses == 1);
}
