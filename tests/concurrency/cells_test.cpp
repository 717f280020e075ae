// SPDX-License-Identifier: Apache-2.0
//
// Readers by cell while their entries are replaced, removed and freed.
#include "wva_metrics/cache/sharded_cache.hpp"

#include "support/counted_entry.hpp"
#include "support/run_threads.hpp"

#include <catch2/catch_all.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <future>
#include <latch>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace wva_metrics;
using test_support::any_time;
using test_support::CountedCache;
using test_support::CountedEntry;
using test_support::run_threads;

namespace {

constexpr CacheKeyView celled{EntryKind::replica, "ns", "celled"};

/// A cache of one shard, one key of which is read by its cell.
struct CelledFixture {
    using CellPtr = std::shared_ptr<CountedCache::Cell>;

    void insert(const CacheKeyView& key = celled, std::uint64_t version = 0) {
        cache.insert_or_assign(key, std::make_shared<const CountedEntry>(living, version));
    }
    /// Fills the cache and its tables with other keys, which evicts what was not read.
    void insert_others() {
        for (int i = 0; i < 300; ++i) {
            const std::string space = "space" + std::to_string(i % 30);
            const std::string name = std::to_string(i);
            insert(CacheKeyView{EntryKind::optimizer, space, name});
        }
    }
    /// Frees what no reader can hold any more; returns how many entries readers hold alone.
    int held_by_readers() {
        cache.erase_expired(any_time);
        return living - static_cast<int>(cache.size());
    }

    std::atomic<int> living{0};
    CountedCache cache{{100, 1'000'000}, 1};
};

/// A thread that stays inside `visit` until `leave`.
class StalledReader {
public:
    /// `reading(entry)` is called inside `visit`, when the thread is told to leave.
    StalledReader(CountedCache& cache, CelledFixture::CellPtr cell,
                  std::function<void(const CountedEntry&)> reading)
        : thread_([this, &cache, cell = std::move(cell), reading = std::move(reading)]() mutable {
              CountedCache::Cell& place = *cell;
              const bool was_there = cache.visit(place, any_time, [&](const CountedEntry& entry) {
                  cell.reset(); // From here on the reader itself does not keep the cell.
                  is_there_.set_value();
                  may_leave_.get_future().wait();
                  reading(entry);
              });
              if (!was_there)
                  is_there_.set_value();
          }) {
        is_there_.get_future().wait();
    }
    ~StalledReader() { leave(); }
    void leave() {
        if (!thread_.joinable())
            return;
        may_leave_.set_value();
        thread_.join();
    }

private:
    std::promise<void> is_there_;
    std::promise<void> may_leave_;
    std::thread thread_;
};

} // namespace

TEST_CASE(
    "a stalled reader by cell keeps its own entry and no other, whatever becomes of its key") {
    struct Case {
        const char* name;
        void (*change)(CelledFixture&);
    };
    const Case step = GENERATE(values<Case>({
        {"replaced", [](CelledFixture& f) { f.insert(); }},
        {"erased", [](CelledFixture& f) { f.cache.erase(celled); }},
        {"its namespace invalidated",
         [](CelledFixture& f) { f.cache.erase_prefix("replica:ns/"); }},
        {"evicted by others",
         [](CelledFixture& f) {
             f.cache.set_limits({1, 1'000'000});
             f.insert_others();
         }},
        {"evicted by a bound",
         [](CelledFixture& f) {
             f.cache.set_limits({100, 1});
         }},
        {"cleared", [](CelledFixture& f) { f.cache.clear(); }},
    }));
    const bool is_cell_kept = GENERATE(true, false);
    CAPTURE(step.name, is_cell_kept);
    CelledFixture fixture;
    const std::size_t without_cell = fixture.cache.stats().bytes;
    CelledFixture::CellPtr cell = fixture.cache.cell(celled);
    const std::size_t with_cell = fixture.cache.stats().bytes;
    CHECK(with_cell > without_cell);
    fixture.insert(celled, 7);
    std::atomic<bool> intact{false};
    StalledReader reader(fixture.cache, cell, [&](const CountedEntry& entry) {
        intact = entry.is_intact() && entry.version() == 7;
    });
    const std::weak_ptr<CountedCache::Cell> given_back = cell;
    if (!is_cell_kept)
        cell.reset();

    step.change(fixture);
    fixture.insert_others();
    CHECK(fixture.held_by_readers() == 1);
    CHECK(given_back.expired() == !is_cell_kept);
    fixture.cache.clear();
    CHECK(fixture.held_by_readers() == 1);
    CHECK(fixture.cache.stats().bytes == (is_cell_kept ? with_cell : without_cell));
    // Who comes now finds what is stored now, by a cell that is the same or another one.
    fixture.cache.set_limits({100, 1'000'000});
    fixture.insert(celled, 8);
    const auto seen = fixture.cache.find(*fixture.cache.cell(celled), any_time);
    REQUIRE(seen != nullptr);
    CHECK(seen->version() == 8);

    reader.leave();
    CHECK(intact);
    CHECK(fixture.held_by_readers() == 0);
    CHECK(fixture.living == 1);
}

TEST_CASE("stalled readers by cell keep one entry each, and all that is between is freed") {
    constexpr int readers = 6;
    CelledFixture fixture;
    const CelledFixture::CellPtr cell = fixture.cache.cell(celled);
    std::atomic<int> intact{0};
    {
        std::vector<std::unique_ptr<StalledReader>> stalled;
        for (int i = 0; i < readers; ++i) {
            const auto version = static_cast<std::uint64_t>(100 * i);
            for (std::uint64_t step = 0; step < 100; ++step)
                fixture.insert(celled, version + step - 99);
            stalled.push_back(std::make_unique<StalledReader>(
                fixture.cache, cell, [&, version](const CountedEntry& entry) {
                    intact += entry.is_intact() && entry.version() == version;
                }));
            CHECK(fixture.held_by_readers() == i);
        }
        fixture.cache.clear();
        CHECK(fixture.living == readers);
        stalled[2]->leave();
        CHECK(fixture.held_by_readers() == readers - 1);
    }
    CHECK(intact == readers);
    CHECK(fixture.held_by_readers() == 0);
    CHECK(fixture.living == 0);
}

TEST_CASE("200 threads read by cell while entries are written, removed and freed") {
    // More than have a number: the later ones lock.
    constexpr int threads = 200;
    constexpr int writers = 4;
    constexpr std::uint64_t versions = 300;
    CelledFixture fixture;
    const std::array<std::string, writers> names = {"0", "1", "2", "3"};
    const auto key = [&](std::size_t i) {
        return CacheKeyView{EntryKind::replica, "ns", names[i]};
    };
    std::array<std::atomic<std::uint64_t>, writers> stored{};
    std::atomic<int> broken{0};
    std::atomic<int> without_number{0};
    std::latch all_here(threads);
    const auto write = [&](std::size_t which) {
        for (std::uint64_t version = 1; version <= versions; ++version) {
            fixture.insert(key(which), version);
            stored[which] = version;
            if (version % 7 == 0)
                fixture.cache.erase(key(which));
            if (version % 50 == 0)
                fixture.cache.erase_prefix("replica:ns/");
            if (version % 90 == 0)
                fixture.cache.clear();
            if (version % 20 == 0)
                fixture.cache.erase_expired(any_time);
            std::this_thread::yield();
        }
    };
    const auto read = [&](std::size_t which) {
        std::uint64_t last = 0;
        CelledFixture::CellPtr cell;
        for (int turn = 0; turn < 200; ++turn) {
            if (turn % 20 == 0) // The one before may be given back, and made anew.
                cell = fixture.cache.cell(key(which));
            fixture.cache.visit(*cell, any_time, [&](const CountedEntry& entry) {
                broken += !entry.is_intact() || entry.version() < last;
                last = entry.version();
            });
            if (const auto entry = fixture.cache.find(*cell, any_time)) {
                broken += !entry->is_intact() || entry->version() < last;
                last = entry->version();
            }
            broken += last > stored[which] + 1;
        }
    };
    run_threads(threads, [&](int thread) {
        without_number += detail::thread_number() == detail::no_thread_number;
        all_here.arrive_and_wait();
        const auto which = static_cast<std::size_t>(thread % writers);
        thread < writers ? write(which) : read(which);
    });
    CHECK(broken == 0);
    CHECK(without_number >= threads - detail::max_thread_numbers);
    for (std::size_t i = 0; i < names.size(); ++i) {
        const CelledFixture::CellPtr cell = fixture.cache.cell(key(i));
        CHECK(fixture.cache.find(*cell, any_time) == fixture.cache.find(key(i), any_time));
    }
    CHECK(fixture.held_by_readers() == 0);
    fixture.cache.clear();
    CHECK(fixture.living == 0);
}
