// SPDX-License-Identifier: Apache-2.0
//
// What readers of a sharded cache may see while other threads change it.
#include "wva_metrics/cache/sharded_cache.hpp"

#include "support/counted_entry.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <latch>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

using namespace wva_metrics;
using test_support::any_time;
using test_support::CountedCache;
using test_support::CountedEntry;

namespace {

constexpr std::size_t plenty = 1'000'000;

/// Runs each function in a thread of its own, all at once, and waits for all.
void run(const std::vector<std::function<void()>>& all) {
    std::latch all_here(static_cast<std::ptrdiff_t>(all.size()));
    std::vector<std::thread> threads;
    for (const auto& one : all)
        threads.emplace_back([&] {
            all_here.arrive_and_wait();
            one();
        });
    for (std::thread& thread : threads)
        thread.join();
}

/// Lets readers run in between, also if there are fewer cores than threads.
void yield_sometimes(std::uint64_t step) {
    if (step % 64 == 0)
        std::this_thread::yield();
}

/// A cache of one shard, so that all threads contend.
struct ReadersFixture {
    using Cell = CountedCache::Cell;

    std::atomic<int> living{0};
    CountedCache cache{{plenty, plenty}, 1};
    std::atomic<bool> broken{false};
    std::atomic<bool> stopped{false};

    void insert(const CacheKeyView& key, std::uint64_t version = 0) {
        cache.insert_or_assign(key, std::make_shared<const CountedEntry>(living, version));
    }
    template <typename Where>
    std::optional<std::uint64_t> version(Where&& where) {
        std::optional<std::uint64_t> seen;
        cache.visit(where, any_time, [&](const CountedEntry& entry) {
            demand(entry.is_intact());
            seen = entry.version();
        });
        return seen;
    }
    /// By turns by key, by the cell that the reader keeps, and by none that it keeps.
    std::optional<std::uint64_t> version(const CacheKeyView& key, std::shared_ptr<Cell>& kept,
                                         std::uint64_t turn) {
        if (turn % 3 == 0)
            return version(key);
        if (kept == nullptr || turn % 50 == 1)
            kept = cache.cell(key);
        const auto seen = version(*kept);
        if (turn % 20 == 1)
            kept.reset(); // It may be given back, and made anew.
        return seen;
    }
    void demand(bool condition) {
        if (!condition)
            broken = true;
    }

    /// Inserts and removes other keys in many namespaces, so that nodes move and the tables grow.
    void make_noise(unsigned seed) {
        std::mt19937 random(seed);
        for (unsigned i = 0; !stopped; ++i) {
            const std::string name = std::to_string(random() % 300);
            const std::string space = "noise" + std::to_string(random() % 40);
            const CacheKeyView key{EntryKind::availability, space, name};
            if (random() % 3 != 0)
                insert(key);
            else
                cache.erase(key);
            if (i % 200 == 0)
                cache.erase_prefix("availability:" + space.substr(0, 6));
        }
    }
};

} // namespace

TEST_CASE("each look-up answers as of a moment between its call and its return") {
    constexpr std::uint64_t steps = 15'000;
    ReadersFixture fixture;
    const CacheKeyView key{EntryKind::replica, "ns", "model"};
    // The key's history: step k stores version k, or removes the key if k is a multiple of 3.
    std::atomic<std::uint64_t> begun{0};
    std::atomic<std::uint64_t> done{0};
    const auto write = [&] {
        for (std::uint64_t step = 1; step <= steps; ++step) {
            begun = step;
            if (step % 3 != 0)
                fixture.insert(key, step);
            else if (step / 3 % 4 == 0)
                fixture.cache.erase(key);
            else if (step / 3 % 4 == 1)
                fixture.cache.erase_prefix("replica:ns/mo");
            else if (step / 3 % 4 == 2)
                fixture.cache.erase_prefix("replica:ns/");
            else
                fixture.cache.clear();
            done = step;
            yield_sometimes(step);
        }
        fixture.stopped = true;
    };
    const auto read = [&] {
        std::uint64_t last = 0;
        std::shared_ptr<ReadersFixture::Cell> cell;
        for (std::uint64_t turn = 0; !fixture.stopped; ++turn) {
            const std::uint64_t from = done;
            const auto seen = fixture.version(key, cell, turn);
            const std::uint64_t to = begun;
            if (seen) {
                fixture.demand(*seen >= from && *seen <= to && *seen % 3 != 0 && *seen >= last);
                last = *seen;
            } else {
                fixture.demand(to / 3 * 3 >= from); // A removal was in between.
            }
        }
    };
    run({write, read, read, [&] { fixture.make_noise(1); }});
    CHECK_FALSE(fixture.broken);
}

TEST_CASE("the versions of several writers are seen in the order in which they were stored") {
    constexpr std::uint64_t versions = 5'000;
    ReadersFixture fixture;
    std::array<std::atomic<std::uint64_t>, 4> stored{};
    std::atomic<int> writers{2};
    const auto write = [&](std::size_t first) {
        for (std::uint64_t version = 1; version <= versions; ++version)
            for (const std::size_t i : {first, first + 1}) {
                const std::string name = std::to_string(i);
                fixture.insert(CacheKeyView{EntryKind::replica, "ns", name}, version);
                stored[i] = version;
                yield_sometimes(version);
            }
        if (--writers == 0)
            fixture.stopped = true;
    };
    const auto read = [&] {
        std::array<std::uint64_t, 4> last{};
        std::array<std::shared_ptr<ReadersFixture::Cell>, 4> cells;
        for (std::size_t turn = 0; !fixture.stopped; ++turn) {
            const std::size_t i = turn % 4;
            const std::string name = std::to_string(i);
            const std::uint64_t from = std::max(last[i], stored[i].load());
            last[i] = fixture.version(CacheKeyView{EntryKind::replica, "ns", name}, cells[i], turn)
                          .value_or(0);
            fixture.demand(last[i] >= from);
        }
    };
    run({[&] { write(0); }, [&] { write(2); }, read, read, [&] { fixture.make_noise(2); }});
    CHECK_FALSE(fixture.broken);
    for (const char* name : {"0", "1", "2", "3"})
        CHECK(fixture.version(CacheKeyView{EntryKind::replica, "ns", name}) == versions);
}

TEST_CASE("no reader sees an entry of an invalidated namespace after the call has returned") {
    constexpr std::uint64_t rounds = 1'000;
    ReadersFixture fixture;
    std::atomic<std::uint64_t> oldest{1};
    const std::vector<std::string> prefixes = {"replica:ns/", "replica:", "replica:n", "",
                                               "replica:ns/m"};
    const auto write = [&] {
        for (std::uint64_t round = 1; round <= rounds; ++round) {
            for (int i = 0; i < 20; ++i) {
                const std::string name = "m" + std::to_string(i);
                fixture.insert(CacheKeyView{EntryKind::replica, "ns", name}, round);
            }
            fixture.cache.erase_prefix(prefixes[round % prefixes.size()]);
            oldest = round + 1;
        }
        fixture.stopped = true;
    };
    const auto read = [&] {
        std::array<std::shared_ptr<ReadersFixture::Cell>, 20> cells;
        for (std::size_t turn = 0; !fixture.stopped; ++turn) {
            const std::size_t i = turn % cells.size();
            const std::string name = "m" + std::to_string(i);
            const std::uint64_t from = oldest;
            const auto seen = fixture.version(CacheKeyView{EntryKind::replica, "ns", name},
                                              cells[i], turn / cells.size());
            fixture.demand(!seen || *seen >= from);
        }
    };
    run({write, read, read, [&] { fixture.make_noise(3); }});
    CHECK_FALSE(fixture.broken);
    CHECK(fixture.cache.erase_prefix("replica:ns/") == 0);
}

TEST_CASE("a key that stays is never missed while others change and the tables grow") {
    constexpr int stay = 40;
    constexpr std::size_t come = 600;
    for (int round = 0; round < 4; ++round) {
        ReadersFixture fixture;
        CountedCache elsewhere;
        std::vector<std::string> names;
        for (int i = 0; i < stay; ++i) {
            names.push_back("stays" + std::to_string(i));
            fixture.insert(CacheKeyView{EntryKind::replica, "ns", names.back()});
        }
        const auto grow = [&] {
            for (std::size_t i = 0; i < come; ++i) {
                const std::string name = std::to_string(i);
                const std::string space = "space" + std::to_string(i / 4);
                fixture.insert(CacheKeyView{EntryKind::optimizer, space, name});
                fixture.insert(CacheKeyView{EntryKind::replica, "ns", names[i % names.size()]});
                elsewhere.insert_or_assign(CacheKeyView{EntryKind::replica, "ns", names[0]},
                                           std::make_shared<const CountedEntry>(fixture.living));
                if (i % 10 == 0)
                    elsewhere.clear();
            }
            fixture.stopped = true;
        };
        const auto read = [&] {
            std::vector<std::shared_ptr<ReadersFixture::Cell>> cells(names.size());
            for (std::size_t turn = 0; !fixture.stopped; ++turn) {
                const std::size_t i = turn % names.size();
                fixture.demand(fixture
                                   .version(CacheKeyView{EntryKind::replica, "ns", names[i]},
                                            cells[i], turn / names.size())
                                   .has_value());
            }
        };
        run({grow, read, read, [&] { fixture.make_noise(static_cast<unsigned>(round)); }});
        CHECK_FALSE(fixture.broken);
    }
}
